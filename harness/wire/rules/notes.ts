/** What a person has to know about rules as such, whatever the dialect. */
import { literalsOf } from './atom.js';
import { isSendersOwn, type RulePlace } from './place.js';
import { type Selection, sidesOf } from './selection.js';

export function placeNotes(selections: readonly Selection[], place: RulePlace): readonly string[] {
  const isAboutData = selections.some(({ terms }) =>
    terms.some((term) => literalsOf(term, 'length').length + literalsOf(term, 'contains').length > 0),
  );
  if (!isAboutData) return [];
  const how = place.interface === undefined ? '' : ` (ethtool -K ${place.interface} gro off gso off tso off)`;
  return [
    `rules see what the kernel hands them: switch segment offloads off, or several segments are one to them${how}`,
    'what has data, or how much, is told of packets without IP options and extension headers only: others are not picked',
  ];
}

/** Said where a drop is not a loss. */
export const localFailureNotes = (selection: Selection, place: RulePlace): readonly string[] =>
  selection.fault.action.kind === 'drop' && sidesOf(selection.terms).some((side) => isSendersOwn(side, place))
    ? [
        `what is sent here is dropped before it leaves, and its own TCP is told: that is no loss (name the sender, and choose the side that receives)`,
      ]
    : [];
