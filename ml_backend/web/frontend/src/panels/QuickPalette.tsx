import { classNames, currentClasses, fullNameOf } from './classes'
import { ValueBeside } from './ClassName'
import { giveLabel } from './labelActions'
import { keyOfClass } from './logic/typeahead'

/** The classes in one line, for a selection made while the drawer is closed. */
export function QuickPalette() {
  return (
    <div class="quick" role="group" aria-label="Label the selection">
      {currentClasses.value.map(({ name, shown_as, colour }, index) => (
        <button key={name} type="button" class="choice" title={fullNameOf(index)} onClick={() => giveLabel(index)}>
          <span class="swatch" style={{ background: colour }} />
          <span>{shown_as}</span>
          <ValueBeside index={index} />
          {keyOfClass(index, classNames.value) !== '' && <kbd>{keyOfClass(index, classNames.value)}</kbd>}
        </button>
      ))}
    </div>
  )
}
