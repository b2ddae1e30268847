//! The cookie that stands for a token, and what every page shows of it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::NaiveDate;
use serde::Deserialize;
use xuezhu_service::{Role, StandsIn, keyring::Service};

/// Name of the cookie.
pub const COOKIE: &str = "xuezhu_session";

/// The token in a request's cookie.
pub fn token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
}

/// The token in a cookie that we give.
pub fn token_of(cookie: &str) -> Option<String> {
    cookie.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next().filter(|token| !token.is_empty()).map(str::to_owned)
}

/// A token's cookie, as a browser sends it.
pub fn as_sent(token: &str) -> Option<HeaderValue> {
    format!("{COOKIE}={token}").parse().ok()
}

/// Whether a request comes from our own pages, or from no page at all. Browsers say how far the page is, older ones at
/// least whose it is; what says neither is no browser, and has no cookie that it was not given.
pub fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of == host),
        (Some(_), None) => false,
    }
}

/// A cookie that holds a token; an empty one takes it away.
pub fn cookie(token: &str, secure: bool) -> String {
    let age = if token.is_empty() { 0 } else { xuezhu_service::token::SESSION_SECONDS };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

/// Who is logged in, as the token says; the services verify it, pages only show it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct User {
    /// Account.
    #[serde(default)]
    pub sub: String,
    /// Name of the person.
    #[serde(default)]
    pub name: String,
    /// Role.
    #[serde(default)]
    pub role: String,
    /// School or region code.
    #[serde(default)]
    pub org: String,
    /// Whether the one-time password is still to be changed.
    #[serde(default)]
    pub must_change_password: bool,
    /// Whether a second factor is still to be set up.
    #[serde(default)]
    pub must_set_factor: bool,
    /// From when to when somebody stands in for the principal.
    #[serde(default)]
    pub stands_in: Option<StandsIn>,
    /// Whether that is today.
    #[serde(skip)]
    pub stands_in_today: bool,
}

impl User {
    /// Reads a token's claims without believing them.
    pub fn of(token: &str, today: NaiveDate) -> Option<Self> {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        let user: Self = serde_json::from_slice(&claims).ok()?;
        let stands_in_today = user.is_clerk() && user.stands_in.is_some_and(|days| days.from <= today && today <= days.to);
        Some(Self { stands_in_today, ..user })
    }

    /// Whether something about the log-in comes before everything else.
    pub fn must_first(&self) -> bool {
        self.must_change_password || self.must_set_factor
    }

    /// Whether this confirms accounts that somebody else opened.
    pub fn confirms_accounts(&self) -> bool {
        self.is_admin() || self.is_officer() || self.is() == Some(Role::AuthorityHead)
    }

    /// Whether this is the very account.
    pub fn is_account(&self, account: &str) -> bool {
        self.sub == account
    }

    /// What the account is for; none where this process knows no such role.
    pub fn is(&self) -> Option<Role> {
        Role::parse(&self.role)
    }

    /// Whether this is somebody of a school.
    pub fn is_school(&self) -> bool {
        self.is().is_some_and(Role::is_of_school)
    }

    /// Whether this teaches classes: sees who is in them, and nothing else.
    pub fn is_teacher(&self) -> bool {
        self.is() == Some(Role::ClassTeacher)
    }

    /// Whether this sees award lists and money, and nothing else.
    pub fn is_finance(&self) -> bool {
        matches!(self.is(), Some(Role::SchoolFinance | Role::FinanceOfficer))
    }

    /// Whether this heads a department, or oversees: reads and counts, and decides nothing.
    pub fn only_reads(&self) -> bool {
        matches!(self.is(), Some(Role::AuthorityHead | Role::Supervisor))
    }

    /// Whether this sees students with their business: who keeps accounts, audits, teaches a class or pays does not.
    pub fn reads_school(&self) -> bool {
        !(self.is_admin() || self.is_auditor() || self.is_teacher() || self.is_finance())
    }

    /// Whether this reads the audit, and nothing else.
    pub fn is_auditor(&self) -> bool {
        self.is() == Some(Role::Auditor)
    }

    /// Whether this is the school's clerk.
    pub fn is_clerk(&self) -> bool {
        self.role == "SCHOOL_CLERK"
    }

    /// Whether this reviews for the school, where a chain asks for it.
    pub fn is_reviewer(&self) -> bool {
        self.is() == Some(Role::SchoolReviewer)
    }

    /// Whether this heads the very department.
    pub fn heads(&self, authority: &str) -> bool {
        self.is() == Some(Role::AuthorityHead) && self.org == authority
    }

    /// Whether this signs for the school: its principal, or who stands in today.
    pub fn is_principal(&self) -> bool {
        self.is_head() || self.stands_in_today
    }

    /// Whether this is the school's principal, in person.
    pub fn is_head(&self) -> bool {
        self.role == "PRINCIPAL"
    }

    /// Whether this decides for a department, in one service or in both.
    pub fn is_officer(&self) -> bool {
        self.decides_enrollment() || self.decides_aid()
    }

    /// Whether this decides for a department what concerns enrollment.
    pub fn decides_enrollment(&self) -> bool {
        self.is().is_some_and(|role| role.decides_in(Some(Service::Enrollment)))
    }

    /// Whether this decides for a department what concerns aid.
    pub fn decides_aid(&self) -> bool {
        self.is().is_some_and(|role| role.decides_in(Some(Service::Aid)))
    }

    /// Whether this works for a province.
    pub fn is_of_province(&self) -> bool {
        self.org.ends_with("0000")
    }

    /// Whether this is an officer of the very department, for what concerns enrollment.
    pub fn decides_enrollment_for(&self, authority: &str) -> bool {
        self.decides_enrollment() && self.org == authority
    }

    /// Whether this is an officer of the very department, for what concerns aid.
    pub fn decides_aid_for(&self, authority: &str) -> bool {
        self.decides_aid() && self.org == authority
    }

    /// Whether this keeps schools and accounts.
    pub fn is_admin(&self) -> bool {
        self.role == "ADMINISTRATOR"
    }

    /// Role in Chinese.
    pub fn role_name(&self) -> &'static str {
        if self.stands_in_today { "学校经办人，代校长" } else { role_name(&self.role) }
    }
}

/// A role in Chinese.
pub fn role_name(role: &str) -> &'static str {
    match role {
        "PRINCIPAL_DEPUTY" => "代校长",
        // What the system did is told without a role.
        "SERVICE" => "",
        known => Role::parse(known).map_or("", Role::name),
    }
}
