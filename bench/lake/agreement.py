"""Whether answers of different engines are the same."""
from decimal import Decimal


def fraction(value):
    return isinstance(value, (float, Decimal))


def same_value(a, b):
    """Exactly, but for what engines define differently: averages and quotients of decimals, which
    are rounded to the type's digits by some and not by others."""
    if a is None or b is None or not (fraction(a) or fraction(b)):
        return a == b
    if isinstance(a, str) or isinstance(b, str):
        return False
    if isinstance(a, Decimal) and isinstance(b, Decimal) and \
            a.as_tuple().exponent == b.as_tuple().exponent:
        return a == b
    return abs(float(a) - float(b)) <= max(0.01, 1e-9 * abs(float(a)))


def in_order(rows):
    """Any order of rows, made one: by what is exact, then by fractions."""
    return sorted(rows, key=lambda row: ([str(v) for v in row if not fraction(v)],
                                         [float(v) for v in row if fraction(v)]))


def same_rows(a, b):
    return len(a) == len(b) and all(
        len(x) == len(y) and all(map(same_value, x, y)) for x, y in zip(in_order(a), in_order(b)))


def odd_ones(answers):
    """Of {name: rows}, those that differ from what most say, as {name: who says otherwise}."""
    if not answers:
        return {}
    most = max(answers, key=lambda name: sum(same_rows(answers[name], rows)
                                             for rows in answers.values()))
    return {name: most for name, rows in answers.items() if not same_rows(answers[most], rows)}
