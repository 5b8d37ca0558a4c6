"""Who may do what, over RPC, as the registry says (spec/trust.md, T28).

Models and methods come from the registry: a new model of the addons, or a new public
method on any model, fails here until it has a row. The roles of
tests/access.py are the columns.
"""

from access import OPERATIONS, ROLES, AccessCase, is_ours

from odoo.orm.model_classes import is_model_definition
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

# The models of the addons: r = read, w = write, c = create, u = unlink of the record;
# of a pop-up, which belongs to whoever opened it, what the model allows.
MODELS = """
#                                     publ  port  empl  apps  else agent  mana  both
fsm.task.part                            -     -     -  rwcu     -     -     -  rwcu
fsm.task.parts                           -     -     -   rwc     -     -     -   rwc
fsm.task.photo                           -     -     -  rwcu     -     r     r  rwcu
fsm.task.validate                        -     -     -   rwc     -     -     -   rwc
fsm.worksheet.reopen                     -     -     -   rwc     -     -     -   rwc
fsm.worksheet.sign                       -     -     -   rwc     -     -     -   rwc
fsm.worksheet.template                   -     -     r     r     r     r     r     r
helpdesk.after.sales.approval            -     -     -     -     -     r     r     r
helpdesk.after.sales.approval.decline    -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.after.sales.reason              -     -     r     r     r     r  rwcu     r
helpdesk.after.sales.report              -     -     -     -     -     r     r     r
helpdesk.after.sales.resolution          -     -     r     r     r     r     r     r
helpdesk.after.sales.rule                -     -     -     -     -     -  rwcu     -
helpdesk.after.sales.rule.review         -     -     -     -     -     -     r     -
helpdesk.after.sales.rule.try            -     -     -     -     -     -   rwc     -
helpdesk.after.sales.service             -     -     r     r     r     r     r     r
helpdesk.after.sales.step                -     -     -     -     -     r     r     r
helpdesk.blocked.sender                  -     -     -     -     -     -  rwcu     -
helpdesk.coupon.extend                   -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.coupon.withdraw                 -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.coupon.wizard                   -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.intervention.wizard             -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.macro                           -     -     -     -     -     r  rwcu     r
helpdesk.macro.apply                     -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.refund.line                     -     -     -  rwcu     -     -     -  rwcu
helpdesk.repair.wizard                   -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.repair.wizard.part              -     -     -     -  rwcu  rwcu  rwcu  rwcu
helpdesk.return.decision                 -     -     -     r     -     r     r     r
helpdesk.return.disposition              -     -     r     r     r     r  rwcu     r
helpdesk.return.papers                   -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.return.process                  -     -     -   rwc     -     -     -   rwc
helpdesk.return.process.line             -     -     -  rwcu     -     -     -  rwcu
helpdesk.replacement.wizard              -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.replacement.wizard.line         -     -     -     -  rwcu  rwcu  rwcu  rwcu
helpdesk.return.rate.report              -     -     -     -     -     -     r     -
helpdesk.return.wizard                   -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.return.wizard.foreign           -     -     -     -  rwcu  rwcu  rwcu  rwcu
helpdesk.return.wizard.line              -     -     -     -  rwcu  rwcu  rwcu  rwcu
helpdesk.sla                             -     -     -     -     -     r  rwcu     r
helpdesk.sla.report.analysis             -     -     -     -     -     r     r     r
helpdesk.sla.status                      -     -     -     -     -     r     r     r
helpdesk.stage                           -     -     -     -     r     r  rwcu     r
helpdesk.tag                             -     -     -     -   rwc   rwc  rwcu   rwc
helpdesk.team                            -     -     -     -     -     r  rwcu     r
helpdesk.ticket                          -     r     -     -     -   rwc  rwcu   rwc
helpdesk.ticket.conversation             -     -     -     -     -   rwc  rwcu   rwc
helpdesk.ticket.line                     -     -     -     -     -  rwcu  rwcu  rwcu
helpdesk.ticket.merge                    -     -     -     -   rwc   rwc   rwc   rwc
helpdesk.ticket.report.analysis          -     -     -     -     -     r     r     r
helpdesk.ticket.request.decline          -     -     -     -   rwc   rwc   rwc   rwc
"""

# The public methods of the addons: "yes" is done, "told" is refused by a sentence that
# says what is missing, "-" is refused for want of rights.
METHODS = """
#                                     publ  port  empl  apps  else agent  mana  both
account.move
    action_create_helpdesk_ticket        -     -     -     -     -     -     -   yes
    action_helpdesk_ask_approval         -     -     -     -     -     -     -  told
    action_view_helpdesk_ticket          -     -     -   yes     -     -     -   yes
fsm.task.parts
    action_take                          -     -     -  told     -     -     -  told
fsm.task.validate
    action_confirm                       -     -     -   yes     -     -     -   yes
fsm.worksheet.reopen
    action_reopen                        -     -     -  told     -     -     -  told
fsm.worksheet.sign
    action_sign                          -     -     -  told     -     -     -  told
helpdesk.after.sales.approval
    action_approve                       -     -     -     -     -     -  told     -
    action_cancel                        -     -     -     -     -     -     -     -
    action_decline                       -     -     -     -     -     -   yes     -
helpdesk.after.sales.approval.decline
    action_decline                       -     -     -     -  told  told  told  told
helpdesk.after.sales.report
    action_open_document                 -     -     -     -     -   yes   yes   yes
    action_open_ticket                   -     -     -     -     -   yes   yes   yes
helpdesk.after.sales.rule
    action_review                        -     -     -     -     -     -   yes     -
helpdesk.after.sales.step
    action_cancel                        -     -     -     -     -   yes   yes   yes
helpdesk.coupon.extend
    action_extend                        -     -     -     -     -  told  told  told
helpdesk.coupon.withdraw
    action_withdraw                      -     -     -     -     -  told  told  told
helpdesk.coupon.wizard
    action_ask_manager                   -     -     -     -     -   yes   yes   yes
    action_get_share_link                -     -     -     -     -  told  told  told
    action_open_programs                 -     -     -     -     -     -     -     -
    action_send_by_email                 -     -     -     -     -   yes   yes   yes
helpdesk.intervention.wizard
    action_create_and_view_task          -     -     -     -     -   yes   yes   yes
    action_create_task                   -     -     -     -     -   yes   yes   yes
helpdesk.macro.apply
    action_apply                         -     -     -     -     -  told  told  told
    action_apply_and_next                -     -     -     -     -  told  told  told
helpdesk.repair.wizard
    action_confirm_draft                 -     -     -     -     -  told  told  told
    action_confirm_repair                -     -     -     -     -   yes   yes   yes
    action_create_quotation              -     -     -     -     -   yes   yes   yes
    action_open_form                     -     -     -     -     -     -     -   yes
helpdesk.replacement.wizard
    action_replace                       -     -     -     -     -   yes   yes   yes
helpdesk.return.papers
    action_fetch                         -     -     -     -     -  told  told  told
    action_save                          -     -     -     -     -  told  told  told
    action_save_and_send                 -     -     -     -     -  told  told  told
helpdesk.return.rate.report
    action_open_document                 -     -     -     -     -     -     -     -
helpdesk.return.process
    action_process                       -     -     -   yes     -     -     -   yes
helpdesk.return.process.line
    action_split                         -     -     -   yes     -     -     -   yes
helpdesk.return.wizard
    action_exchange                      -     -     -     -     -   yes   yes   yes
    action_return                        -     -     -     -     -   yes   yes   yes
    action_take_all                      -     -     -     -     -   yes   yes   yes
    action_take_none                     -     -     -     -     -   yes   yes   yes
helpdesk.sla
    action_apply_to_open                 -     -     -     -     -     -   yes     -
    action_view_tickets                  -     -     -     -     -   yes   yes   yes
helpdesk.sla.report.analysis
    action_open_ticket                   -     -     -     -     -   yes   yes   yes
helpdesk.team
    action_view_ratings                  -     -     -     -     -   yes   yes   yes
    action_view_sla                      -     -     -     -     -   yes   yes   yes
    get_overview                         -     -     -     -   yes   yes   yes   yes
helpdesk.ticket
    action_add_lines                     -     -     -     -     -   yes   yes   yes
    action_anonymize                     -     -     -     -     -     -   yes     -
    action_approve_request               -     -     -     -     -  told  told  told
    action_assign_to_me                  -     -     -     -     -   yes   yes   yes
    action_begin_conversation            -     -     -     -     -   yes   yes   yes
    action_close                         -     -     -     -     -   yes   yes   yes
    action_close_and_next                -     -     -     -     -   yes   yes   yes
    action_create_partner                -     -     -     -     -   yes   yes   yes
    action_decline_request               -     -     -     -     -  told  told  told
    action_generate_coupon               -     -     -     -     -   yes   yes   yes
    action_give_back                     -     -     -     -     -  told  told  told
    action_macro                         -     -     -     -     -   yes   yes   yes
    action_merge                         -     -     -     -     -   yes   yes   yes
    action_next_ticket                   -     -     -     -     -   yes   yes   yes
    action_no_spam                       -     -     -     -     -   yes   yes   yes
    action_pay_refunds                   -     -     -     -     -     -     -  told
    action_plan_intervention             -     -     -     -     -   yes   yes   yes
    action_print_return_slip             -     -     -     -     -  told  told  told
    action_refund                        -     -     -     -     -     -     -   yes
    action_repair                        -     -     -     -     -   yes   yes   yes
    action_replacement                   -     -     -     -     -   yes   yes   yes
    action_return                        -     -     -     -     -   yes   yes   yes
    action_return_papers                 -     -     -     -     -  told  told  told
    action_send_repair_quotations        -     -     -     -     -  told  told  told
    action_send_return_slip              -     -     -     -     -  told  told  told
    action_spam                          -     -     -     -     -  told  told  told
    action_split                         -     -     -     -     -  told  told  told
    action_undo_merge                    -     -     -     -     -  told  told  told
    action_view_approvals                -     -     -     -     -   yes   yes   yes
    action_view_coupons                  -     -     -     -     -   yes   yes   yes
    action_view_credit_notes             -     -     -     -     -     -     -   yes
    action_view_customer_tickets         -   yes     -     -     -   yes   yes   yes
    action_view_fsm_tasks                -     -     -     -     -   yes   yes   yes
    action_view_ratings                  -     -     -     -     -   yes   yes   yes
    action_view_repairs                  -     -     -     -     -   yes   yes   yes
    action_view_replacements             -     -     -     -     -   yes   yes   yes
    action_view_returns                  -     -     -     -     -   yes   yes   yes
    action_view_sale_order               -     -     -     -     -   yes   yes   yes
    get_newer_answers                    -   yes     -     -     -   yes   yes   yes
    get_purchases                        -     -     -     -     -   yes   yes   yes
    get_timeline                         -     -     -     -     -   yes   yes   yes
    notify_presence                      -     -     -     -     -   yes   yes   yes
    portal_close                         -  told     -     -     -     -     -     -
    portal_create                        -   yes   yes   yes   yes   yes   yes   yes
    portal_details                       -   yes     -     -     -   yes   yes   yes
    portal_messages                      -   yes     -     -     -   yes   yes   yes
    portal_purchases                     -   yes   yes   yes   yes   yes   yes   yes
    portal_reopen                        -  told     -     -     -     -     -     -
    portal_request                       -   yes  told  told  told  told  told  told
    portal_timeline                      -   yes     -     -     -   yes   yes   yes
    search_purchases                     -     -     -     -     -   yes   yes   yes
helpdesk.ticket.line
    action_approve                       -     -     -     -     -  told  told  told
    action_decline                       -     -     -     -     -  told  told  told
helpdesk.ticket.merge
    action_merge                         -     -     -     -     -  told  told  told
helpdesk.ticket.report.analysis
    action_open_ticket                   -     -     -     -     -   yes   yes   yes
helpdesk.ticket.request.decline
    action_decline                       -     -     -     -     -  told  told  told
loyalty.card
    action_helpdesk_extend               -     -     -     -     -  told  told  told
    action_helpdesk_send                 -     -     -     -     -  told  told  told
    action_helpdesk_share                -     -     -     -     -  told  told  told
    action_helpdesk_withdraw             -     -     -     -     -  told  told  told
    action_view_helpdesk_ticket          -     -     -   yes     -   yes   yes   yes
privacy.lookup.wizard.line
    action_helpdesk_anonymize            -     -     -     -     -     -     -     -
product.product
    action_create_helpdesk_ticket        -     -     -     -   yes   yes   yes   yes
    action_dismiss_failing               -     -     -     -     -     -     -     -
    action_view_failing_tickets          -     -     -     -   yes   yes   yes   yes
    action_view_failure_cost             -     -     -     -   yes   yes   yes   yes
    action_view_return_rate              -     -     -     -     -     -   yes     -
product.template
    action_begin_past_warranties         -     -     -     -     -     -     -     -
    action_dismiss_failing               -     -     -     -     -     -     -     -
    action_view_failing_tickets          -     -     -     -   yes   yes   yes   yes
    action_view_failure_cost             -     -     -     -   yes   yes   yes   yes
    action_view_return_rate              -     -     -     -     -     -   yes     -
project.task
    action_fsm_cancel                    -     -     -   yes     -     -     -   yes
    action_fsm_parts                     -     -     -   yes     -     -     -   yes
    action_fsm_reopen                    -     -     -   yes     -     -     -   yes
    action_fsm_start                     -     -     -   yes     -     -     -   yes
    action_fsm_stop                      -     -     -  told     -  told  told  told
    action_fsm_validate                  -     -     -   yes     -     -     -   yes
    action_open_visit                    -     -     -   yes     -   yes   yes   yes
    action_print_worksheet               -     -     -   yes     -   yes   yes   yes
    action_reopen_worksheet              -     -     -   yes     -     -     -   yes
    action_send_worksheet                -     -     -   yes     -     -     -   yes
    action_sign_worksheet                -     -     -  told     -     -     -  told
    action_view_fsm_quotations           -     -     -   yes     -     -     -   yes
    action_view_helpdesk_ticket          -     -     -   yes     -   yes   yes   yes
repair.order
    action_confirm_for_ticket            -     -     -     -     -   yes   yes   yes
    action_create_helpdesk_ticket        -     -     -     -     -   yes   yes   yes
    action_give_back                     -     -     -  told     -  told  told  told
    action_send_quotation                -     -     -  told     -  told  told  told
    action_view_helpdesk_ticket          -     -     -   yes     -   yes   yes   yes
res.partner
    action_create_helpdesk_ticket        -     -     -     -   yes   yes   yes   yes
    action_view_failure_cost             -     -     -     -   yes   yes   yes   yes
    action_view_helpdesk_tickets         -   yes     -     -   yes   yes   yes   yes
sale.order
    action_create_helpdesk_ticket        -     -     -     -     -     -     -   yes
    action_view_helpdesk_tickets         -     -     -     -     -     -     -   yes
stock.lot
    action_create_helpdesk_ticket        -     -     -     -     -     -     -   yes
    action_dismiss_failing               -     -     -   yes     -     -     -   yes
    action_relocate_failing              -     -     -     -     -     -     -     -
    action_view_failing_tickets          -     -     -     -     -   yes   yes   yes
    action_view_failure_cost             -     -     -     -     -   yes   yes   yes
    action_view_return_rate              -     -     -     -     -     -   yes     -
stock.picking
    action_create_helpdesk_ticket        -     -     -     -     -     -     -   yes
    action_process_return                -     -     -  told     -     -     -  told
    action_view_helpdesk_ticket          -     -     -   yes     -     -     -   yes
    action_view_warranties               -   yes     -   yes     -     -     -   yes
"""

# Methods of Odoo that the addons extend: who may call them is what Odoo decides.
EXTENDED = """
account.move                     button_cancel button_draft copy_data create
account.move.reversal            create default_get onchange reverse_moves write
base                             default_get onchange
fsm.task.photo                   create write
fsm.worksheet.template           copy_data create write
helpdesk.after.sales.document    create get_formview_id get_view write
helpdesk.after.sales.rule        copy_data create unlink write
helpdesk.after.sales.service     unlink
helpdesk.chosen.mixin            create default_get onchange write
helpdesk.blocked.sender          create write
helpdesk.coupon.wizard           create write
helpdesk.macro                   copy_data create write
helpdesk.refund.line             create write
helpdesk.return.process          create on_barcode_scanned
helpdesk.return.wizard.line      create write
helpdesk.sla                     copy_data create unlink write
helpdesk.stage                   create write
helpdesk.team                    copy_data create web_save write
helpdesk.ticket                  copy copy_data create export_data fields_get
helpdesk.ticket                  get_import_templates mail_allowed_qweb_expressions
helpdesk.ticket                  message_new message_post message_update onchange
helpdesk.ticket                  read_progress_bar unlink write
helpdesk.ticket.conversation     create default_get message_post write
helpdesk.ticket.line             create onchange unlink write
helpdesk.warranty.mixin          create write
ir.attachment                    create write
loyalty.card                     write
loyalty.history                  create
loyalty.program                  name_search
mail.thread                      message_notify message_parse message_route
project.task                     create get_formview_id unlink write
repair.order                     action_repair_done write
resource.calendar                write
resource.calendar.attendance     create unlink write
resource.calendar.leaves         create unlink write
rating.rating                    create write
res.groups                       write
res.users                        write
sale.order                       action_confirm
stock.move                       create onchange write
stock.move.line                  write
stock.picking                    action_cancel action_confirm
stock.reference                  create onchange write
"""

TOLD = ("UserError", "ValidationError", "MissingError")


def rows(table):
    """Return ``{row: its cells}``; a method's row is its model and its name."""
    result, model = {}, ""
    for line in table.strip().splitlines():
        name, *cells = line.split()
        if name == "#":
            continue
        if not cells:
            model = name
        elif line.startswith(" "):
            result[f"{model} {name}"] = cells
        else:
            result[name] = cells
    return result


def text(found):
    """Return a table as it is written above."""
    lines, model = [], ""
    for row, cells in sorted(found.items()):
        first, _blank, method = row.partition(" ")
        if method and first != model:
            lines.append(first)
        model = first
        name = f"    {method}" if method else row
        lines.append(f"{name:<36}" + "".join(f"{cell:>6}" for cell in cells))
    return "\n".join(lines)


@tagged("post_install", "-at_install")
class TestAccessMatrix(AccessCase):
    maxDiff = None

    # -- What there is -------------------------------------------------------

    def _public_methods(self):
        """Return ``(new, extended)``: names of methods that the addons make public."""
        new, extended = set(), set()
        for name, model in self.env.registry.items():
            if model._abstract:
                continue
            definitions = [cls for cls in model.mro() if is_model_definition(cls)]
            for cls in filter(is_ours, definitions):
                for method, value in vars(cls).items():
                    if (
                        method.startswith("_")
                        or not callable(value)
                        or isinstance(value, type)
                        or any(
                            getattr(getattr(base, method, None), "_api_private", False)
                            for base in model.mro()
                        )
                    ):
                        continue
                    if any(
                        method in vars(other)
                        for other in definitions
                        if not is_ours(other)
                    ):
                        # What is written once, in a mixin, has one row.
                        extended.add(f"{cls._name} {method}")
                    else:
                        new.add(f"{name} {method}")
        return new, extended

    # -- Asking --------------------------------------------------------------

    def _ids(self, role, model):
        """Return the ids to call a method with; a pop-up is opened by the role."""
        if not self.env[model]._transient:
            return self._record(model).ids
        if model == "helpdesk.return.process.line":
            # Filled by its pop-up.
            ids = self._ids(role, "helpdesk.return.process")
            if isinstance(ids, Exception):
                return ids
            [values] = self._call(
                role, "helpdesk.return.process", "read", ids, ["line_ids"]
            )
            return values["line_ids"][:1]
        answer = self._call(role, model, "create", [self._pop_up(model)])
        return answer

    def _may_call(self, role, model, method):
        if getattr(getattr(self.env.registry[model], method), "_api_model", False):
            args = []
        else:
            ids = self._ids(role, model)
            if self._is_refused(ids):
                return "-"
            if isinstance(ids, Exception):
                return type(ids).__name__
            args = [ids]
        args += self.arguments.get(f"{model} {method}", ())
        answer = self._call(role, model, method, *args)
        if not isinstance(answer, Exception):
            return "yes"
        if self._is_refused(answer):
            return "-"
        name = type(answer).__name__
        return "told" if name in TOLD else name

    def _letters(self, role, model):
        # Of a model without a record at hand: what it allows in general.
        ids = [] if self.env[model]._transient else self._record(model).ids
        return (
            "".join(
                operation[0]
                for operation in OPERATIONS
                if self._call(role, model, "has_access", ids, operation) is True
            )
            or "-"
        )

    def _compare(self, expected, found):
        """Fail with the lines of the table where a cell or a row differs."""
        self.assertEqual(text(found), text(expected))

    # -- The matrices --------------------------------------------------------

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_model")
    def test_t28_models(self):
        # Visitors can't even ask; what follows would hold if they could.
        self.authenticate(None, None)
        call = {"model": "helpdesk.ticket", "method": "search", "args": [[]]}
        with self.assertRaisesRegex(JsonRpcException, "SessionExpired"):
            self.make_jsonrpc_request("/web/dataset/call_kw", call | {"kwargs": {}})
        names = self._own_models()
        expected = {n: c for n, c in rows(MODELS).items() if n in self.env}
        found = {name: [self._letters(role, name) for role in ROLES] for name in names}
        self._compare(expected, found)

    @mute_logger("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_model")
    def test_t28_methods(self):
        new, _extended = self._public_methods()
        expected = {
            name: cells
            for name, cells in rows(METHODS).items()
            if name in new or self._is_installed(name)
        }
        if "helpdesk.return.wizard" not in self.env:
            # Nothing can be asked for.
            row = expected["helpdesk.ticket portal_request"]
            row[ROLES.index("portal")] = "told"
        found = {}
        for name in sorted(new):
            model, method = name.split()
            found[name] = []
            for role in ROLES:
                # What one role does must not show to the next.
                self.env.flush_all()
                self.env.cr.execute("SAVEPOINT matrix")
                found[name].append(self._may_call(role, model, method))
                self.env.invalidate_all(flush=False)
                self.env.cr.execute("ROLLBACK TO SAVEPOINT matrix")
        self._compare(expected, found)

    def _is_installed(self, name):
        model, method = name.split()
        return model in self.env and hasattr(self.env[model], method)

    def test_t28_extended_methods(self):
        _new, extended = self._public_methods()
        listed = {
            f"{line.split()[0]} {method}"
            for line in EXTENDED.strip().splitlines()
            for method in line.split()[1:]
        }
        self.assertEqual(extended - listed, set(), "no row")
        services = self.team._after_sales_services().values()
        if self.env.registry._init_modules.issuperset(services):
            # Of an addon that isn't here, Odoo's own method is.
            gone = {row for row in listed - extended if self._is_installed(row)}
            self.assertEqual(gone, set(), "no such method")

    @mute_logger("odoo.http")
    def test_t28_pop_ups_of_a_ticket_that_one_may_not_read(self):
        """What a pop-up proposes tells what the customer bought."""
        ticket = {"helpdesk_ticket_id": self.ticket.id}
        asked = []
        mixin = ["helpdesk.ticket.wizard"]
        for name in self.env.registry.descendants(mixin, "_inherit"):
            if self.env[name]._abstract:
                continue
            words = {
                field.name: "because"
                for field in self.env[name]._fields.values()
                if field.required and field.type == "text"
            }
            for role in ("elsewhere", "both"):
                for method, args, context in (
                    ("create", [[ticket | words]], {}),
                    ("onchange", [[], ticket, [], {"helpdesk_ticket_id": {}}], {}),
                    (
                        "onchange",
                        [[], {}, [], {"helpdesk_ticket_id": {}}],
                        {"default_helpdesk_ticket_id": self.ticket.id},
                    ),
                ):
                    answer = self._call(role, name, method, *args, context=context)
                    self.assertEqual(
                        self._is_refused(answer),
                        role == "elsewhere",
                        (name, method, role, answer),
                    )
                    asked.append(name)
        if not asked:
            self.skipTest("no service is installed")
