"""Whether something fails more often than chance allows (X13).

Cases of one lot are compared with those of the others: if all failed alike, each case
would fall on it with the probability of its share in what was delivered. How likely as
many cases or more are then is what the one-sided binomial test says; it is exact, also
where little was delivered (the test of two Poisson rates, given their sum).

Old lots have had more time to fail, and young ones fail more often at first: both are
compared by pieces and by the days that these have been with customers, and the milder
answer counts.

Of thousands of lots some look bad by chance: the limit is lowered by how many were
looked at, as Benjamini and Hochberg do. No more than one of a thousand alarms is false.
"""

from math import exp, lgamma, log

#: fewer never alarm
MIN_CASES = 3
FALSE_ALARMS = 0.001


def get_chance(cases, pieces, other_cases, other_pieces):
    """Return how likely so many cases are by chance: from 0 to 1, the latter too where
    there is nothing to compare with.

    :param cases: tickets about it; of more than ``pieces`` each counts once
    :param pieces: how many were delivered
    :param other_cases, other_pieces: the same of all others
    """
    cases = min(cases, int(pieces))
    total = cases + other_cases
    if cases < MIN_CASES or other_pieces <= 0:
        return 1.0
    share = pieces / (pieces + other_pieces)
    if cases <= total * share:
        return 1.0
    term = exp(
        lgamma(total + 1)
        - lgamma(cases + 1)
        - lgamma(total - cases + 1)
        + cases * log(share)
        + (total - cases) * log(1 - share)
    )
    chance = 0.0
    for number in range(cases, total + 1):
        chance += term
        term *= (total - number) / (number + 1) * share / (1 - share)
        if term < chance * 1e-12:
            break
    return min(chance, 1.0)


def find_failing(chances):
    """Return those that fail too often.

    :param chances: ``{anything: chance}`` of all that were looked at
    """
    ordered = sorted(chances, key=chances.get)
    found = 0
    for rank, one in enumerate(ordered, 1):
        if chances[one] <= FALSE_ALARMS * rank / len(ordered):
            found = rank
    return ordered[:found]
