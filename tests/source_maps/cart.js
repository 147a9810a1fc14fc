// "ß" and "😀": columns are not bytes
export function total(items, 币) {
    const label = "😀😀";
    if (!items.length)
        throw new RangeError(`${label} empty ${币}`);
    return items.reduce((sum, item) => sum + item.price, 0);
}
//# sourceMappingURL=cart.js.map