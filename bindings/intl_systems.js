/** Which numbering systems and calendars Intl knows. */

import { StringPrototypeIndexOf } from "./primordials.js";

const numberingSystems = " adlm ahom arab arabext bali beng bhks brah cakm cham deva diak fullwide gara gong gonm gujr " +
  "gukh guru hanidec hmng hmnp java kali kawi khmr knda krai lana lanatham laoo latn lepc limb mathbold mathdbl mathmono " +
  "mathsanb mathsans mlym modi mong mroo mtei mymr mymrepka mymrpao mymrshan mymrtlng nagm newa nkoo olck onao orya osma " +
  "outlined rohg saur segment shrd sind sinh sora sund sunu takr talu tamldec telu thai tibt tirh tnsa tols vaii wara wcho ";
const calendars = " gregory iso8601 ";

/** @param {string} type */
export const isNumberingSystem = (type) => StringPrototypeIndexOf(numberingSystems, " " + type + " ") >= 0;
/** @param {string} type */
export const isCalendar = (type) => StringPrototypeIndexOf(calendars, " " + type + " ") >= 0;
