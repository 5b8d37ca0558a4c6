"""Names of documents that records of other applications point to by model and id."""

from odoo.exceptions import AccessError


def find_hidden(records, model_field, named):
    """Return those of ``records`` that point to one of our documents which the user of
    the environment may not read. Odoo tells the name of it as superuser, to customers,
    too, whoever asks with the id.

    :param model_field: holds the name of the model; the id is in ``res_id``
    :param named: whether names of the model are short for whoever may not read them
    """
    found = records.browse()
    for model, pointing in records.grouped(model_field).items():
        if not model or not model.startswith("helpdesk.") or named(model):
            continue
        if model not in records.env:
            continue
        documents = (
            records.env[model].sudo(False).browse(set(pointing.mapped("res_id")))
        )
        try:
            seen = documents._filtered_access("read")
        except AccessError:
            seen = documents.browse()
        ids = set(seen.ids)
        found |= pointing.filtered(lambda record, ids=ids: record.res_id not in ids)
    return found
