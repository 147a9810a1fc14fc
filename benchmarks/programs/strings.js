// Strings: building, searching, slicing, splitting, changing case, single characters.
function run() {
  let text = "";
  for (let i = 0; i < 6000; i++) text += "word" + (i * 37 % 101) + (i % 10 === 9 ? ".\n" : " ");
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % 1000003;
  const words = text.split(/\s+/).filter((word) => word.length > 0);
  const loud = words.map((word) => word[0].toUpperCase() + word.slice(1).padEnd(8, "-")).join("|");
  let found = 0;
  for (let at = text.indexOf("word7"); at !== -1; at = text.indexOf("word7", at + 1)) found++;
  let turned = "";
  for (let i = loud.length - 1; i >= 0; i -= 3) turned += loud[i];
  const lines = text.trim().split("\n");
  for (const line of lines) {
    if (line.includes("word100") && !line.startsWith("word3")) found += line.lastIndexOf("word");
    hash = (hash + line.replaceAll("word", "w").length * lines.length) % 1000003;
  }
  return hash + found * 7 + turned.length + loud.length + words.length;
}
