// The order desk of a small shop. It knows no Python: `priceOf`, `stockOf` and `charge` are functions the host gave it,
// `links` is data the host gave it, and everything else is the web platform.

const encoder = new TextEncoder();
const euros = (cents) => `€${(cents / 100).toFixed(2)}`;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** An order out of a link such as https://shop.example/order?sku=MUG&count=2&for=Ada */
function readOrder(link) {
  const { searchParams } = new URL(link);
  return {
    id: crypto.randomUUID().slice(0, 8),
    customer: searchParams.get("for") ?? "somebody",
    lines: searchParams.getAll("sku").map((entry) => {
      const [sku, count = "1"] = entry.split(":");
      return { sku, count: Number(count), cents: priceOf(sku) };
    }),
  };
}

/** Leave out what the shelf does not hold; the original order stays as it was. */
async function fill(order) {
  const filled = structuredClone(order);
  const shelves = await Promise.all(filled.lines.map((line) => stockOf(line.sku)));
  filled.lines.forEach((line, index) => {
    if (line.count > shelves[index]) {
      console.warn(`only ${shelves[index]} of ${line.count} ${line.sku} left`);
      line.count = shelves[index];
    }
  });
  filled.total = filled.lines.reduce((sum, line) => sum + line.count * line.cents, 0);
  return filled;
}

/** Charge a card; a payment service that is busy gets a second chance. */
async function pay(order, attempts = 3) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await charge(order.customer, order.total);
    } catch (error) {
      if (attempt === attempts || error.name !== "TimeoutError") throw error;
      console.debug(`attempt ${attempt}: ${error.message}; again in ${20 * attempt} ms`);
      await sleep(20 * attempt);
    }
  }
}

async function processAll() {
  const receipts = [];
  for (const link of links) {
    const order = readOrder(link);
    console.group(`order ${order.id} for ${order.customer}`);
    try {
      const filled = await fill(order);
      const payment = await pay(filled);
      const text = `${filled.customer}: ${euros(filled.total)}, payment ${payment}`;
      receipts.push({ ...filled, payment, receiptBytes: encoder.encode(text).length });
      console.log(text);
    } catch (error) {
      console.error(`not paid: ${error.message}`);
    } finally {
      console.groupEnd();
    }
  }
  console.table(receipts.map(({ customer, lines, total }) => ({ customer, items: lines.length, total: euros(total) })));
  return receipts;
}

/** What the demo calls later, with an order that has no lines. */
function refund(order) {
  const cents = order.lines
    .map((line) => line.count * line.cents)
    .reduce((sum, amount) => sum + amount, 0);
  return euros(cents);
}
