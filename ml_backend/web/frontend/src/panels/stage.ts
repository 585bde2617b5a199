/** The parts of the map that the panels use. */

export { CLASS_COLOURS, flyTo, inView, rampColours, screenPosition } from '../map'
