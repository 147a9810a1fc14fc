/**
 * Intl.Segmenter (ECMA-402, section 19). Boundaries are those of Unicode's text segmentation (UAX 29) by the engine's own
 * tables of properties; there are no dictionaries, so texts of scripts without spaces come in single characters.
 */

import {
  canonicalLocales, createData, dress, initialize, readMatcher, requireNew, requireOptions, resolveLocale,
  slotsOf, stringOption, toText,
} from "./intl_options.js";
import {
  IteratorPrototype, MathTrunc, ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf, RegExp,
  RegExpPrototypeExec, ReflectOwnKeys, StringPrototypeCharCodeAt, StringPrototypeSlice, SymbolIterator, SymbolToStringTag,
} from "./primordials.js";

const granularities = ["grapheme", "word", "sentence"];

const extend = "\\p{Grapheme_Extend}\\p{Emoji_Modifier}";
const notSpacing = "\\u102b\\u102c\\u1038\\u1062-\\u1064\\u1067-\\u106d\\u1083\\u1087-\\u108c\\u108f\\u109a-\\u109c\\u1a61\\u1a63\\u1a64" +
  "\\uaa7b\\uaa7d\\u{11720}\\u{11721}";
const prepend = "\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u0d4e\\u{110bd}\\u{110cd}\\u{111c2}\\u{111c3}\\u{113d1}" +
  "\\u{1193f}\\u{11941}\\u{11a84}-\\u{11a89}\\u{11d46}\\u{11f02}";
const control = `(?![${extend}${prepend}\\u200d])[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]`;
const after = `(?:[${extend}\\u200d\\u0e33\\u0eb3]|(?![${notSpacing}])\\p{Mc})*`;
/** Consonants that a virama joins, and the viramas that do. */
const consonant = "[\\u0915-\\u0939\\u0958-\\u095f\\u0978-\\u097f\\u0995-\\u09a8\\u09aa-\\u09b0\\u09b2\\u09b6-\\u09b9\\u09dc\\u09dd\\u09df" +
  "\\u09f0\\u09f1\\u0a95-\\u0aa8\\u0aaa-\\u0ab0\\u0ab2\\u0ab3\\u0ab5-\\u0ab9\\u0af9\\u0b15-\\u0b28\\u0b2a-\\u0b30\\u0b32\\u0b33\\u0b35-\\u0b39" +
  "\\u0b5c\\u0b5d\\u0b5f\\u0b71\\u0c15-\\u0c28\\u0c2a-\\u0c39\\u0c58-\\u0c5a\\u0d15-\\u0d3a]";
const linker = "\\u094d\\u09cd\\u0acd\\u0b4d\\u0c4d\\u0d4d";
const hangul = "[\\u1100-\\u115f\\ua960-\\ua97c]*(?:[\\uac00-\\ud7a3][\\u1160-\\u11a7\\ud7b0-\\ud7c6]*|[\\u1160-\\u11a7\\ud7b0-\\ud7c6]+)" +
  "[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]*|[\\u1100-\\u115f\\ua960-\\ua97c]+|[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]+";
const core = `${hangul}|\\p{RI}\\p{RI}|\\p{ExtPict}(?:[${extend}]*\\u200d\\p{ExtPict})*` +
  `|${consonant}(?:[${extend}\\u200d]*[${linker}][${extend}\\u200d]*${consonant})*|[^\\p{Cc}\\p{Zl}\\p{Zp}]`;
const cluster = `\\r\\n|${control}|[${prepend}]*(?:${core})${after}|[^]`;
const grapheme = cluster;

const ignored = `(?:(?!\\u200b)[${extend}\\p{Mc}\\p{Cf}\\u200d])*`;
const southEast = "\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Mymr}\\p{sc=Tale}\\p{sc=Talu}\\p{sc=Lana}\\p{sc=Tavt}\\p{sc=Ahom}";
const letter = `(?:(?![\\p{Ideographic}\\p{sc=Hira}\\p{sc=Kana}${extend}\\p{Mc}]|(?=[\\p{Lo}\\p{Lm}\\p{Mn}])[${southEast}])` +
  `[\\p{Alphabetic}\\u02c2-\\u02c5\\u02d2-\\u02d7\\u02de\\u02df\\u02e5-\\u02eb\\u02ed\\u02ef-\\u02ff\\u055a-\\u055c\\u055e\\u058a\\u05f3]${ignored})`;
const digit = `(?:[\\p{Nd}\\u066b\\u066c]${ignored})`;
const katakana = `(?:[\\p{sc=Kana}\\u3031-\\u3035\\u309b\\u309c\\u30a0\\u30fc\\uff70]${ignored})`;
const joiner = `(?:[\\p{Pc}\\u202f]${ignored})`;
const midLetter = `[:\\u00b7\\u0387\\u055f\\u05f4\\u2027\\ufe13\\ufe55\\uff1a.\\u2018\\u2019\\u2024\\ufe52\\uff07\\uff0e']${ignored}`;
const midNumber = `[,;\\u037e\\u0589\\u060c\\u060d\\u066c\\u07f8\\u2044\\ufe10\\ufe14\\ufe50\\ufe54\\uff0c\\uff1b.\\u2018\\u2019\\u2024\\ufe52\\uff07\\uff0e']${ignored}`;
const hebrewQuote = `(?<=\\p{sc=Hebr}${ignored})"${ignored}(?=\\p{sc=Hebr})`;
const run = `(?:${letter}+(?:(?:${midLetter}|${hebrewQuote})(?=${letter})${letter}+)*|${digit}+(?:${midNumber}(?=${digit})${digit}+)*)+`;
const wordLike = `${joiner}*(?:${run}|${katakana}+)(?:${joiner}+(?:${run}|${katakana}+))*${joiner}*`;
const word =
  `(${wordLike}|${joiner}{2,})|\\r\\n|[\\n\\v\\f\\r\\x85\\u2028\\u2029]|(?:(?!\\u00a0|\\u2007|\\u202f)\\p{Zs})+${ignored}|${joiner}|` +
  `\\p{RI}${ignored}\\p{RI}${ignored}|\\p{ExtPict}(?:[${extend}\\p{Mc}\\p{Cf}]*\\u200d\\p{ExtPict})*${ignored}|` +
  `([\\p{Ideographic}\\p{sc=Hira}${southEast}]${ignored})|[^]${ignored}`;

const close = "[\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\"']";
const space = "[\\p{Zs}\\t\\v\\f]";
const paragraph = "(?:\\r\\n|[\\r\\n\\x85\\u2028\\u2029])";
const ends = "!?\\u055c\\u055e\\u0589\\u061d-\\u061f\\u06d4\\u0964\\u0965\\u1362\\u1367\\u1368\\u203c\\u203d\\u2047-\\u2049\\u3002\\ufe56\\ufe57\\uff01\\uff1f\\uff61";
const stops = ".\\u2024\\ufe52\\uff0e";
const goesOn = "[,\\-:\\u055d\\u060c\\u060d\\u07f8\\u1802\\u1808\\u2013\\u2014\\u3001\\ufe10\\ufe11\\ufe13\\ufe31\\ufe32\\ufe50\\ufe51\\ufe55\\ufe58\\ufe63\\uff0c\\uff0d\\uff1a\\uff64]";
const sentence =
  `[^]*?(?:${paragraph}|[${ends}]${ignored}${close}*${space}*(?!${goesOn}|[${ends}${stops}])${paragraph}?|` +
  `[${stops}]${ignored}(?!\\p{Nd})(?!(?<=[\\p{Lu}\\p{Ll}][${stops}])\\p{Lu})${close}*${space}*` +
  `(?!${goesOn}|[${ends}${stops}]|[^\\p{L}${ends}${stops}\\r\\n\\x85\\u2028\\u2029]{0,99}\\p{Ll})${paragraph}?)|[^]+`;
const sources = { __proto__: null, grapheme, word, sentence };
/** Compiled when they are first used: the properties of characters take much room. */
const patterns = { __proto__: null, grapheme: undefined, word: undefined, sentence: undefined };

/** @param {any} locales @param {any} options */
export function Segmenter(locales = undefined, options = undefined) {
  requireNew(new.target, "Segmenter");
  const requested = canonicalLocales(locales);
  const given = requireOptions(options);
  readMatcher(given);
  const { locale } = resolveLocale(requested, [], given, () => false);
  const granularity = stringOption(given, "granularity", granularities, "grapheme");
  return initialize(this, { __proto__: null, kind: "Segmenter", locale, granularity });
}

/** The end of the segment that begins somewhere, and whether it is like a word. */
function next(granularity, text, from) {
  if (granularity === "grapheme" && from + 1 < text.length) {
    const unit = StringPrototypeCharCodeAt(text, from);
    const following = StringPrototypeCharCodeAt(text, from + 1);
    const isPlain = unit < 0x300 && following < 0x300 && unit !== 0xd && unit !== 0xa9 && unit !== 0xae;
    if (isPlain) return { __proto__: null, end: from + 1, isWordLike: false };
  }
  const pattern = patterns[granularity] ??= new RegExp(sources[granularity], "uy");
  pattern.lastIndex = from;
  const found = RegExpPrototypeExec(pattern, text);
  const isWordLike = granularity === "word" && (found[1] !== undefined || found[2] !== undefined);
  return { __proto__: null, end: from + found[0].length, isWordLike };
}

function dataOf(granularity, text, index, step) {
  const data = { segment: StringPrototypeSlice(text, index, step.end), index, input: text };
  if (granularity === "word") createData(data, "isWordLike", step.isWordLike);
  return data;
}

const SegmentsPrototype = {
  containing(index) {
    const slots = slotsOf(this, "Segments", "containing");
    const position = MathTrunc(+index) || 0;
    const { text, granularity } = slots;
    if (position < 0 || position >= text.length) return undefined;
    for (let from = 0; ;) {
      const step = next(granularity, text, from);
      if (step.end > position) return dataOf(granularity, text, from, step);
      from = step.end;
    }
  },
  [SymbolIterator]() {
    const { text, granularity } = slotsOf(this, "Segments", "[Symbol.iterator]");
    const iterator = ObjectCreate(SegmentIteratorPrototype);
    return initialize(iterator, { __proto__: null, kind: "SegmentIterator", text, granularity, position: 0 });
  },
};
const SegmentIteratorPrototype = {
  next() {
    const slots = slotsOf(this, "SegmentIterator", "next");
    const { text, granularity, position } = slots;
    if (position >= text.length) return { value: undefined, done: true };
    const step = next(granularity, text, position);
    slots.position = step.end;
    return { value: dataOf(granularity, text, position, step), done: false };
  },
};
ObjectSetPrototypeOf(SegmentIteratorPrototype, IteratorPrototype);
for (const prototype of [SegmentsPrototype, SegmentIteratorPrototype]) {
  for (const key of ReflectOwnKeys(prototype)) ObjectDefineProperty(prototype, key, { enumerable: false });
}
ObjectDefineProperty(SegmentIteratorPrototype, SymbolToStringTag, { value: "Segmenter String Iterator", configurable: true });

dress(Segmenter, {
  resolvedOptions() {
    const { locale, granularity } = slotsOf(this, "Segmenter", "resolvedOptions");
    return { locale, granularity };
  },
  segment(string) {
    const { granularity } = slotsOf(this, "Segmenter", "segment");
    const segments = ObjectCreate(SegmentsPrototype);
    return initialize(segments, { __proto__: null, kind: "Segments", text: toText(string), granularity });
  },
});
