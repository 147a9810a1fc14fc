interface Item {
  price: number;
}

// "ß" and "😀": columns are not bytes
export function total(items: Item[], 币: string): number {
  const label = "😀😀"; if (!items.length) throw new RangeError(`${label} empty ${币}`);
  return items.reduce((sum, item) => sum + item.price, 0);
}
