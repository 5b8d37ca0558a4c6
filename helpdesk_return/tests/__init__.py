from . import test_return_access
from . import test_return_others
from . import test_return_pdf
from . import test_return_request
from . import test_return_tour
from . import test_return_wizard
