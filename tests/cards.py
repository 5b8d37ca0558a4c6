"""What tests of gift cards share."""

from odoo import Command


def make_gift_card_program(env):
    """Return a program whose cards are worth their points in money."""
    return env["loyalty.program"].create(
        {
            "name": "Gift cards of the tests",
            "program_type": "gift_card",
            "applies_on": "future",
            "trigger": "auto",
            "rule_ids": [Command.clear()],
            "reward_ids": [
                Command.clear(),
                Command.create(
                    {
                        "required_points": 1,
                        "discount": 1,
                        "discount_mode": "per_point",
                    }
                ),
            ],
        }
    )
