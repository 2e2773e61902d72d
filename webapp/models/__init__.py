"""Every model, for Alembic, the mapper and ``from webapp.models import ...``."""

from webapp.models.access import LINK_PURPOSES, UserLink, UserSession
from webapp.models.account import ROLES, TOKEN_SCOPES, ApiToken, User
from webapp.models.api_request import ApiRequest
from webapp.models.catalogue import Brand, Category, Product, ProductModel, Supplier
from webapp.models.data_import import (
    IMPORT_STATES,
    DataImport,
    ImportJob,
    ImportKept,
    ImportProfile,
    ImportRowError,
)
from webapp.models.job import (
    FINAL_STATUSES,
    STATUSES,
    Consumer,
    JobAttempt,
    JobLog,
    PeriodicSlot,
    Schedule,
    TaskNotification,
)
from webapp.models.journal import Change, Event, Metric, Notice
from webapp.models.movement import INFLOW_KINDS, OUTFLOW_KINDS, Inflow, Outflow
from webapp.models.product_move import ProductMove
from webapp.models.saved_export import REPEATS, SavedExport

__all__ = [
    "FINAL_STATUSES",
    "IMPORT_STATES",
    "INFLOW_KINDS",
    "LINK_PURPOSES",
    "OUTFLOW_KINDS",
    "REPEATS",
    "ROLES",
    "STATUSES",
    "TOKEN_SCOPES",
    "ApiRequest",
    "ApiToken",
    "Brand",
    "Category",
    "Change",
    "Consumer",
    "DataImport",
    "Event",
    "ImportJob",
    "ImportKept",
    "ImportProfile",
    "ImportRowError",
    "Inflow",
    "JobAttempt",
    "JobLog",
    "Metric",
    "Notice",
    "Outflow",
    "PeriodicSlot",
    "Product",
    "ProductModel",
    "ProductMove",
    "SavedExport",
    "Schedule",
    "Supplier",
    "TaskNotification",
    "User",
    "UserLink",
    "UserSession",
]
