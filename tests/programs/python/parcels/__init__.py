"""Parcels: a small package, so that its tests can be run."""


class TooHeavy(ValueError):
    """More than the cart carries."""


def pack(weights, limit=10):
    """First fit, the heaviest first.

    >>> pack([4, 8, 6])
    [[8], [6, 4]]
    """
    carts = []
    for weight in sorted(weights, reverse=True):
        if weight > limit:
            raise TooHeavy(f"{weight} is more than {limit}")
        fitting = next((cart for cart in carts if sum(cart) + weight <= limit), None)
        if fitting is None:
            carts.append([weight])
        else:
            fitting.append(weight)
    return carts
