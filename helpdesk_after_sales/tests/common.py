from odoo import SUPERUSER_ID, Command
from odoo.tests import TransactionCase

AGENT = "helpdesk_after_sales.group_helpdesk_user"
MANAGER = "helpdesk_after_sales.group_helpdesk_manager"


class HelpdeskAfterSalesCommon(TransactionCase):
    """A team, the people around it, and customers who bought something.

    Holds no test methods. Combine it with another common class of Odoo by naming it
    first: everything is made in ``cls.env.company``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Other common classes act as a user of theirs, in a company of theirs.
        cls.company = cls.env.company
        cls.env = cls.env(
            user=SUPERUSER_ID,
            context=dict(cls.env.context, allowed_company_ids=cls.company.ids),
        )
        cls.company = cls.company.with_env(cls.env)
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        ) or cls.env["stock.warehouse"].create({"name": "Shop", "code": "SHOP"})

        (
            cls.agent,
            cls.other_agent,
            cls.manager,
            cls.employee,
            cls.seller,
            cls.stock_user,
        ) = cls._new_users(
            {
                "after_sales_agent": AGENT,
                "after_sales_other_agent": AGENT,
                "after_sales_manager": MANAGER,
                "after_sales_employee": "base.group_user",
                "after_sales_seller": "sales_team.group_sale_salesman_all_leads",
                "after_sales_stock": "stock.group_stock_user",
            }
        )

        # Customer A is a company with two contacts, B somebody else.
        cls.customer_a, cls.customer_b = cls.env["res.partner"].create(
            [
                {
                    "name": "Alder & Sons",
                    "is_company": True,
                    "email": "office@alder.example.com",
                    "phone": "+32 2 290 34 90",
                },
                {"name": "Berta Birch", "email": "berta@birch.example.com"},
            ]
        )
        cls.contact_a1, cls.contact_a2 = cls.env["res.partner"].create(
            [
                {
                    "name": f"Contact {number} of Alder",
                    "parent_id": cls.customer_a.id,
                    "email": f"contact{number}@alder.example.com",
                }
                for number in (1, 2)
            ]
        )

        cls.lamp, cls.desk, cls.phone, cls.service = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service" if name == "Installation" else "consu",
                    "is_storable": name != "Installation",
                    "tracking": "serial" if name == "Phone" else "none",
                    "list_price": price,
                    "invoice_policy": "order",
                    "taxes_id": [Command.clear()],
                    "supplier_taxes_id": [Command.clear()],
                }
                for name, price in (
                    ("Lamp", 50.0),
                    ("Desk", 200.0),
                    ("Phone", 400.0),
                    ("Installation", 80.0),
                )
            ]
        )
        cls.serials = cls.env["stock.lot"].create(
            [
                {
                    "name": f"SN-{number:04}",
                    "product_id": cls.phone.id,
                    "company_id": cls.company.id,
                }
                for number in range(1, 7)
            ]
        )
        cls._put_in_stock(
            (cls.lamp, 500, None),
            (cls.desk, 500, None),
            *((cls.phone, 1, serial) for serial in cls.serials),
        )

        cls.team = cls.env["helpdesk.team"].create(
            {
                "name": "After-Sales Test Team",
                "company_id": cls.company.id,
                "member_ids": [Command.set(cls.agent.ids)],
            }
        )

    @classmethod
    def _new_user(cls, login, groups, **values):
        return cls._new_users({login: groups}, **values)

    @classmethod
    def _new_users(cls, groups, **values):
        """Return a user for each ``{login: external ids of groups}``, all at once:
        nobody is invited, and the password is the login."""
        common = {
            "company_id": cls.env.company.id,
            "company_ids": [Command.set(cls.env.company.ids)],
        } | values
        users = (
            cls.env["res.users"]
            .with_context(
                no_reset_password=True, mail_create_nolog=True, mail_notrack=True
            )
            .create(
                [
                    {
                        "name": f"{login} ({names})",
                        "login": login,
                        "password": login.ljust(8, "x"),
                        "email": f"{login}@shop.example.com",
                        "group_ids": [
                            Command.set(
                                [cls.env.ref(n.strip()).id for n in names.split(",")]
                            )
                        ],
                    }
                    | common
                    for login, names in groups.items()
                ]
            )
        )
        return users.with_env(cls.env)

    @classmethod
    def _put_in_stock(cls, *goods):
        """Count ``(product, quantity, serial or lot)`` in the stock of the shop."""
        cls.env["stock.quant"].with_context(inventory_mode=True).create(
            [
                {
                    "product_id": product.id,
                    "location_id": cls.warehouse.lot_stock_id.id,
                    "inventory_quantity": quantity,
                    "lot_id": lot.id if lot else False,
                }
                for product, quantity, lot in goods
            ]
        ).action_apply_inventory()

    @classmethod
    def _sell(cls, partner, *lines, deliver=True, serials=None, **values):
        """Return a confirmed order of ``(product, quantity)`` lines, delivered in full
        unless ``deliver`` says otherwise; ``serials`` are those to deliver."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "warehouse_id": cls.warehouse.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                    for product, quantity in lines
                ],
            }
            | values
        )
        order.action_confirm()
        if deliver:
            cls._deliver(order.picking_ids, serials)
        return order

    @classmethod
    def _deliver(cls, pickings, serials=None):
        """Validate open transfers in full; returns them."""
        for picking in pickings.filtered(lambda p: p.state not in ("done", "cancel")):
            picking.action_assign()
            for move in picking.move_ids:
                if move.has_tracking != "none" and serials:
                    move.move_line_ids.unlink()
                    move.move_line_ids = [
                        Command.create(
                            {
                                "picking_id": picking.id,
                                "product_id": move.product_id.id,
                                "lot_id": serial.id,
                                "quantity": 1,
                                "location_id": move.location_id.id,
                                "location_dest_id": move.location_dest_id.id,
                            }
                        )
                        for serial in serials
                    ]
                else:
                    move.quantity = move.product_uom_qty
                move.picked = True
            picking.with_context(skip_backorder=True, skip_sms=True).button_validate()
        return pickings

    @classmethod
    def _deliver_without_order(cls, partner, product, serials=None):
        """Return a delivery of one piece that Inventory made by itself."""
        places = {
            "location_id": cls.warehouse.lot_stock_id.id,
            "location_dest_id": cls.env.ref("stock.stock_location_customers").id,
        }
        picking = cls.env["stock.picking"].create(
            {
                "partner_id": partner.id,
                "picking_type_id": cls.warehouse.out_type_id.id,
                "move_ids": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": 1} | places
                    )
                ],
            }
            | places
        )
        picking.action_confirm()
        return cls._deliver(picking, serials)

    @classmethod
    def _ticket(cls, partner=None, **values):
        """Return a ticket of the test team, made by the superuser."""
        return cls.env["helpdesk.ticket"].create(
            {
                "name": "The lamp arrived broken",
                "team_id": cls.team.id,
                "partner_id": partner.id if partner else False,
            }
            | values
        )
