/* Numbers of at most 15 decimal digits, which most fractions in programs are, as text.
 *
 * A double has one such decimal at most, and that is its shortest: any two of them are apart by more than doubles are.
 * Whether there is one shows by one division, which is exact. A patch includes this in the midst of the engine's source. */
#ifndef SHORT_DECIMAL_H
#define SHORT_DECIMAL_H

/* Write a positive number that is no integer; 0: it is not of that kind, and nothing was written. */
static int short_decimal(char *out, double number)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20};
    if (!(number >= 1e-5 && number < 1e14))
        return 0;
    int places = 0, step = 16;
    for (; step; step >>= 1)
        if (places + step <= 20 && number * powers[places + step] < 1e15)
            places += step;
    uint64_t digits = (uint64_t)(number * powers[places] + 0.5);
    if (digits >= UINT64_C(1000000000000000) || (double)digits / powers[places] != number)
        return 0;
    if (places >= 8 && digits % 100000000 == 0)
        digits /= 100000000, places -= 8;
    if (places >= 4 && digits % 10000 == 0)
        digits /= 10000, places -= 4;
    while (places && digits % 10 == 0)
        digits /= 10, places--;
    if (!places)
        return 0;
    char text[24];
    int count = 0, length = 0;
    for (; digits || count <= places; digits /= 10)
        text[count++] = (char)('0' + digits % 10);
    while (count) {
        out[length++] = text[--count];
        if (count == places)
            out[length++] = '.';
    }
    return length;
}

#endif
