from odoo import models


class ProjectTask(models.Model):
    """A visit, for the rules (X10): it costs the customer nothing by itself."""

    _inherit = "project.task"

    def _get_rule_act(self):
        if not self.is_fsm:
            return super()._get_rule_act()
        return self._new_rule_act("use_fsm", amount=0.0)
