//! The one binary: up, enrollment, aid, gateway, demo, import, reconcile, flags, admin.
