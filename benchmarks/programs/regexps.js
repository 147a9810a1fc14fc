// Regular expressions: global matching, groups, replacing with a callback, alternation, backtracking within reason.
function run() {
  let log = "";
  for (let i = 0; i < 400; i++) {
    log += `2024-0${1 + (i % 9)}-1${i % 10} host${i % 17}.example.com [${i % 4 ? "info" : "error"}] `;
    log += `user=${"abcdefgh".slice(i % 5)}${i} took ${i * 13 % 997}ms path=/a/${i % 11}/b?x=${i}\n`;
  }
  let total = 0;
  const line = /^(\d{4})-(\d\d)-(\d\d) (\S+) \[(info|error)\] user=(\w+) took (\d+)ms/gm;
  for (const match of log.matchAll(line)) total += Number(match[7]) + match[6].length + (match[5] === "error" ? 1 : 0);
  const masked = log.replace(/user=(?<name>[a-z]+)(?<number>\d+)/g, (_, name, number) => `user=${name[0]}*${number}`);
  total += masked.length;
  total += (log.match(/\berror\b/g) || []).length * 3;
  total += log.split(/[\s=?]+/).length;
  const query = /path=((?:\/\w+)*)\?x=(\d*)(?=\n)/g;
  for (let match = query.exec(log); match !== null; match = query.exec(log)) total += match[1].length + match.index % 7;
  total += log.replace(/(?:[aeiou]+|[0-9]{2,})(?!ms)/gi, "_").length;
  return total;
}
