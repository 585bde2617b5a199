/** In the place of the map of a project that Lantern does not have: what to do about it. */

import { project } from '../address'

/** Label Studio's number, alone or with the time of the project's making behind it. */
const NUMBER = /^(\d+)(\.\d+)?$/

export function UnknownProject() {
  const number = NUMBER.exec(project)?.[1]
  return (
    <div class="map-empty" role="alert">
      <div>
        {number === undefined
          ? <p>There is no project “{project}”: the address of a map ends with the number that the project has in Label Studio.</p>
          : <p>Lantern does not know project {number}. Check the number at the end of the address, or connect the project: <code>lantern connect --project {number}</code></p>}
        <button type="button" class="button" onClick={() => window.location.reload()}>Look again</button>
      </div>
    </div>
  )
}
