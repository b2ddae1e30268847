//! The workbook: reading it, telling every fault at once, matching its rows with what is there, and giving it back marked.

pub mod api;
pub mod rules;
mod store;

use std::collections::{HashMap, HashSet};

use prost::Message;
use uuid::Uuid;
use xuezhu_domain::{enrollment::State, majors::Major, text::comparable_name};
use xuezhu_proto::common::{ImportReport, Problem};
use xuezhu_service::{Context, Error, Permission, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};
use xuezhu_workbook::{Columns, Mark, ReadError, Table};

use crate::{
    Parts, directory, registration,
    roll::{self, drafts::Draft},
};
pub use rules::{Parsed, RowProblem, SchoolRules};

/// Problems that a report lists; more are only counted.
pub const PROBLEMS_LISTED: usize = 5_000;
/// How long an uploaded file is kept for its marked copy, in microseconds: thirty days.
pub const FILE_KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// An upload: what, and how.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one for each way to take a file")]
pub struct Upload {
    /// The school that uploads.
    pub school: String,
    /// Only tell what would happen.
    pub preview: bool,
    /// Write nothing if one row is faulty.
    pub all_or_nothing: bool,
    /// Hidden sheets and rows are taken in too.
    pub include_hidden: bool,
    /// A blank cell clears what is stored.
    pub blank_clears: bool,
    /// Id of the import, to which the file is bound.
    pub import: Uuid,
    /// The tables of the file.
    pub tables: std::sync::Arc<Vec<Table>>,
    /// The file, sealed.
    pub file_sealed: std::sync::Arc<Vec<u8>>,
    /// Hash of the file.
    pub content_hash: [u8; 32],
}

/// Reads a file into tables; a refusal says what the file is.
pub fn read_tables(bytes: &[u8]) -> Result<Vec<Table>, Error> {
    xuezhu_workbook::read(bytes, Columns { known: &rules::known_columns(), marks: rules::MARKS, required: &rules::required_columns() })
        .map_err(|error| refused(&error))
}

/// A file's fault as a refusal.
pub fn refused(error: &ReadError) -> Error {
    let reason = match error {
        ReadError::Unreadable(_) | ReadError::OpenQuote(_) | ReadError::Other(_) => Reason::FileUnreadable,
        ReadError::Encrypted => Reason::FileEncrypted,
        ReadError::TooLarge(_) => Reason::FileTooLarge,
        ReadError::NoHeader(_) | ReadError::MissingColumns(_) => Reason::HeaderMissing,
        ReadError::DuplicateHeader(_) => Reason::HeaderDuplicated,
    };
    Refusal::new(reason, error.to_string()).into()
}

/// What a row does to what is there.
enum Effect {
    New,
    Changed(registration::LiveRow),
    Unchanged,
}

/// Imports a workbook, or tells what that would do.
pub async fn import(ctx: &Context, tx: &mut Tx, parts: &Parts, upload: &Upload) -> Result<ImportReport, Error> {
    let school = directory::open_for_entry(ctx, tx, &upload.school).await?;
    let majors = directory::majors(tx, &school.code).await?;
    let rules = SchoolRules { school: &school.code, majors: &majors, today: ctx.today() };
    let mut found = Findings::default();
    let rows = parse_all(upload, &rules, &mut found);
    let keyed: Vec<Keyed> = rows.into_iter().map(|row| Keyed::new(parts, row)).collect();
    let keyed = without_duplicates(keyed, &mut found);
    warn_of_others(tx, &school.code, &keyed, &mut found).await?;
    let effects = match_rows(tx, parts, &school.code, keyed, upload.blank_clears, &mut found).await?;
    let total = upload.tables.iter().map(|table| table.rows.len()).sum::<usize>();
    let mut report = found.report(total, &effects);
    report.rows_furniture = i32::try_from(upload.tables.iter().map(|table| table.furniture.len()).sum::<usize>()).unwrap_or(i32::MAX);
    (report.include_hidden, report.blank_clears) = (upload.include_hidden, upload.blank_clears);
    report.preview = upload.preview;
    if upload.all_or_nothing && report.rows_faulty > 0 && !upload.preview {
        report.rows_new = 0;
        report.rows_changed = 0;
    } else if !upload.preview {
        write(ctx, tx, parts, &school.code, effects).await?;
    }
    report.import_id = upload.import.to_string();
    store::insert_import(ctx, tx, upload, &parts.keyring.seal("report", &[upload.import], &report.encode_to_vec())).await?;
    Ok(report)
}

/// What isn't seen isn't data: hidden sheets and rows stay out, unless they were asked for, and are told.
fn parse_all(upload: &Upload, rules: &SchoolRules, found: &mut Findings) -> Vec<(String, u32, Parsed)> {
    let mut rows = Vec::new();
    for table in upload.tables.iter() {
        let layout = rules::Layout::new(table);
        found.left_out(table, upload.include_hidden);
        for row in table.rows.iter().filter(|row| table.counts(row, upload.include_hidden)) {
            let (parsed, problems, warnings) = rules::parse(&layout, row, rules);
            found.add(&table.sheet, row.number, problems, warnings);
            if let Some(parsed) = parsed {
                found.doubt(&table.sheet, row.number, parsed.major);
                rows.push((table.sheet.clone(), row.number, parsed));
            }
        }
    }
    rows
}

/// A parsed row with what it is found by.
pub struct Keyed {
    sheet: String,
    number: u32,
    /// Key of its number.
    pub key: Uuid,
    /// Hash of its content.
    pub content: [u8; 32],
    /// What it says.
    pub row: Parsed,
}

impl Keyed {
    fn new(parts: &Parts, (sheet, number, row): (String, u32, Parsed)) -> Self {
        Self { sheet, number, key: parts.keyring.person_key(&row.id).0, content: parts.keyring.content_hash(row.content().as_bytes()), row }
    }

    /// As it is entered.
    fn draft(&self) -> Draft<'_> {
        let row = &self.row;
        Draft {
            key: self.key,
            content_hash: &self.content,
            content: row.content(),
            document: row.document,
            id: &row.id,
            name: &row.name,
            sex: row.sex,
            birth_date: row.birth_date,
            school_number: &row.school_number,
            class_name: &row.class_name,
            major: row.major.key(),
            entry_month: row.entry_month,
            study_form: &row.study_form,
            student_category: &row.student_category,
            household: &row.household,
            residence: &row.residence,
            registered_region: &row.registered_region,
            urban_rural: &row.urban_rural,
            special_groups: &row.special_groups,
            phone: &row.phone,
        }
    }
}

/// Rule ID-6: the same number, or the same 学号, twice in one file is a fault of each row after the first.
fn without_duplicates(rows: Vec<Keyed>, found: &mut Findings) -> Vec<Keyed> {
    let mut keys: HashMap<Uuid, u32> = HashMap::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let mut twice = Vec::new();
        if let Some(first) = keys.get(&row.key) {
            twice.push(RowProblem::new("身份证件号", &row.row.id.masked(), "DUPLICATE_IN_FILE", format!("与第{first}行的身份证件号相同，请删除重复的行")));
        }
        if let Some(first) = numbers.get(&row.row.school_number) {
            twice.push(RowProblem::new("学号", &row.row.school_number, "DUPLICATE_IN_FILE", format!("与第{first}行的学号相同")));
        }
        if twice.is_empty() {
            keys.insert(row.key, row.number);
            if !row.row.school_number.is_empty() {
                numbers.insert(row.row.school_number.clone(), row.number);
            }
            kept.push(row);
        } else {
            found.add(&row.sheet, row.number, twice, Vec::new());
        }
    }
    kept
}

/// Rule ID-6 across schools: a warning, decided at approval; the other school is never named.
async fn warn_of_others(tx: &mut Tx, school: &str, rows: &[Keyed], found: &mut Findings) -> Result<(), Error> {
    let elsewhere: HashSet<Uuid> = registration::keys_elsewhere(tx, school, rows.iter().map(|row| row.key)).await?.into_iter().collect();
    for row in rows.iter().filter(|row| elsewhere.contains(&row.key)) {
        let warning = RowProblem::new(
            "身份证件号",
            &row.row.id.masked(),
            "ELSEWHERE",
            "该证件号在另一所学校已有学籍或正在申报；可以先录入，审核时以先获批准者为准".into(),
        );
        found.add(&row.sheet, row.number, Vec::new(), vec![warning]);
    }
    Ok(())
}

/// Matches rows with what the school has: by number, else by the school's own 学号.
async fn match_rows(
    tx: &mut Tx,
    parts: &Parts,
    school: &str,
    rows: Vec<Keyed>,
    blank_clears: bool,
    found: &mut Findings,
) -> Result<Vec<(Keyed, Effect)>, Error> {
    let (gone, live): (Vec<_>, Vec<_>) = registration::all_of_school(tx, school).await?.into_iter().partition(|row| row.state >= State::FIRST_FINAL);
    let by_key: HashMap<Uuid, &registration::LiveRow> = live.iter().map(|row| (row.claim_key, row)).collect();
    // Whoever left stands in next month's workbook too: the same month of entry and 学号 are the one who left, not a new entry. Who
    // never came is in none, and in one again only who comes after all.
    let left: HashMap<(Uuid, i32, &str), &registration::LiveRow> =
        gone.iter().filter(|row| row.state == State::Withdrawn.code()).map(|row| ((row.claim_key, row.entry_month, row.school_number.as_str()), row)).collect();
    let never_came: HashSet<(Uuid, i32)> = gone.iter().filter(|row| row.state == State::NeverCame.code()).map(|row| (row.claim_key, row.entry_month)).collect();
    let former: HashMap<(Uuid, String), Uuid> =
        registration::former_keys_at(tx, school).await?.into_iter().map(|(key, name, enrollment)| ((key, comparable_name(&name)), enrollment)).collect();
    let by_id: HashMap<Uuid, &registration::LiveRow> = live.iter().map(|row| (row.enrollment, row)).collect();
    let by_number: HashMap<&str, &registration::LiveRow> =
        live.iter().filter(|row| !row.school_number.is_empty()).map(|row| (row.school_number.as_str(), row)).collect();
    let met = |row: &Keyed| {
        let by_key = by_key.get(&row.key).copied();
        let by_former = || by_id.get(former.get(&(row.key, comparable_name(&row.row.name)))?).copied();
        let gone = || left.get(&(row.key, row.row.entry_month.number(), row.row.school_number.as_str())).copied();
        by_key.or_else(by_former).or_else(|| by_number.get(row.row.school_number.as_str()).copied()).or_else(gone)
    };
    let changed = rows.iter().filter_map(|row| met(row).filter(|known| known.content_hash != row.content)).map(|known| known.enrollment);
    let stored = roll::drafts::details_of(tx, parts, changed).await?;
    let under_own = |row: &Keyed| {
        let by_former = || by_id.get(former.get(&(row.key, comparable_name(&row.row.name)))?).copied();
        by_key.get(&row.key).copied().or_else(by_former)
    };
    let mut moves = Vec::new();
    for row in rows.iter().filter(|row| !row.row.school_number.is_empty()) {
        if let Some(known) = under_own(row).filter(|known| known.school_number != row.row.school_number)
            && roll::state_of(known.state)?.is_editable()
        {
            moves.push(Move { of: known.enrollment, from: by_number.get(row.row.school_number.as_str()).map(|owner| owner.enrollment) });
        }
    }
    let moving = moving(&moves);
    let mut effects = Vec::with_capacity(rows.len());
    let mut claimed: HashSet<Uuid> = HashSet::new();
    for mut row in rows {
        if let Some(details) = met(&row).and_then(|known| stored.get(&known.enrollment)) {
            // Absent isn't blank, nor is blank gone: what is stored stays, unless the clerk says otherwise.
            row.row.keep(details, blank_clears);
            let content = row.row.content();
            // An earlier version kept a code as it was typed: the same in other words is no change.
            let same = met(&row).filter(|_| rules::respelled(details) == content).and_then(|known| known.content_hash[..].try_into().ok());
            row.content = same.unwrap_or_else(|| parts.keyring.content_hash(content.as_bytes()));
        }
        let under_former = || by_id.get(former.get(&(row.key, comparable_name(&row.row.name)))?).copied();
        let same_key = by_key.get(&row.key).copied().or_else(under_former);
        // Whose number it was has another in this file.
        let same_number = by_number.get(row.row.school_number.as_str()).copied().filter(|owner| !moving.contains(&owner.enrollment));
        if let (Some(key), Some(number)) = (same_key, same_number)
            && key.enrollment != number.enrollment
        {
            let problem = RowProblem::new("学号", &row.row.school_number, "SCHOOL_NUMBER_TAKEN", "该学号属于本校另一名学生，请核对".into());
            found.add(&row.sheet, row.number, vec![problem], Vec::new());
            continue;
        }
        if let (None, Some(number)) = (same_key, same_number)
            && number.name_comparable != comparable_name(&row.row.name)
        {
            let why = "该学号属于本校另一名学生（姓名和证件号都不同），不会覆盖其记录，请核对学号";
            found.add(&row.sheet, row.number, vec![RowProblem::new("学号", &row.row.school_number, "SCHOOL_NUMBER_TAKEN", why.into())], Vec::new());
            continue;
        }
        let gone = || left.get(&(row.key, row.row.entry_month.number(), row.row.school_number.as_str())).copied();
        let Some(known) = same_key.or(same_number) else {
            match gone() {
                None if row.row.major_ended.is_some() => found.add(&row.sheet, row.number, vec![major_ended(&row)], Vec::new()),
                None => {
                    if never_came.contains(&(row.key, row.row.entry_month.number())) {
                        let why = "该生已按新生未报到注销；如确已到校，可以重新录入并申报，否则请从表中删去";
                        let warning = RowProblem::new("身份证件号", &row.row.id.masked(), "NEVER_CAME", why.into());
                        found.add(&row.sheet, row.number, Vec::new(), vec![warning]);
                    }
                    effects.push((row, Effect::New));
                }
                Some(known) if known.content_hash == row.content => {
                    found.add(&row.sheet, row.number, Vec::new(), vec![has_left(&row)]);
                    effects.push((row, Effect::Unchanged));
                }
                Some(_) => found.add(&row.sheet, row.number, vec![has_left(&row)], Vec::new()),
            }
            continue;
        };
        let state = roll::state_of(known.state)?;
        if known.content_hash == row.content {
            effects.push((row, Effect::Unchanged));
        } else if !claimed.insert(known.enrollment) {
            let problem = RowProblem::new("", "", "DUPLICATE_IN_FILE", "与文件中另一行是同一名学生，请只保留一行".into());
            found.add(&row.sheet, row.number, vec![problem], Vec::new());
        } else if state.is_editable() {
            effects.push((row, Effect::Changed(known.clone())));
        } else {
            let problem = RowProblem::new(
                "",
                "",
                "ALREADY_SUBMITTED",
                format!("该生当前为“{}”，与表中内容不同；导入不会修改已提交或已批准的学籍，请通过退回、异动或信息变更办理", state.name()),
            );
            found.add(&row.sheet, row.number, vec![problem], Vec::new());
        }
    }
    Ok(effects)
}

/// A student whose 学号 a file changes.
struct Move {
    of: Uuid,
    /// Who has that number now.
    from: Option<Uuid>,
}

/// Who gets another 学号: a file is one set, in which numbers may be exchanged or shifted. Whose new number stays somebody else's keeps
/// the old one, and so does whoever waits for that.
fn moving(moves: &[Move]) -> HashSet<Uuid> {
    let mut moving: HashSet<Uuid> = moves.iter().map(|change| change.of).collect();
    let mut waiting: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for change in moves {
        if let Some(from) = change.from {
            waiting.entry(from).or_default().push(change.of);
        }
    }
    let mut staying: Vec<Uuid> = waiting.keys().copied().filter(|owner| !moving.contains(owner)).collect();
    while let Some(owner) = staying.pop() {
        for of in waiting.remove(&owner).unwrap_or_default() {
            if moving.remove(&of) {
                staying.push(of);
            }
        }
    }
    moving
}

/// Said of a new row of a major that takes nobody new.
fn major_ended(row: &Keyed) -> RowProblem {
    RowProblem::new("专业简称", row.row.major.name, "MAJOR_ENDED", row.row.major_ended.clone().unwrap_or_default())
}

/// Said of a row of somebody who left the school.
fn has_left(row: &Keyed) -> RowProblem {
    let why = "该生已办理离校，本行不会录入；如确为重新入学，请填写重新入学的年月，同月重新入学的请编新的学号";
    RowProblem::new("学号", &row.row.school_number, "LEFT_SCHOOL", why.into())
}

async fn write(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, effects: Vec<(Keyed, Effect)>) -> Result<(), Error> {
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (row, effect) in effects {
        match effect {
            Effect::New => new.push((ctx.new_id(), row)),
            Effect::Changed(known) => changed.push((known.enrollment, row)),
            Effect::Unchanged => {}
        }
    }
    roll::drafts::enter(ctx, tx, parts, school, &drafts(&new), &drafts(&changed)).await
}

fn drafts(rows: &[(Uuid, Keyed)]) -> Vec<(Uuid, Draft<'_>)> {
    rows.iter().map(|(id, row)| (*id, row.draft())).collect()
}

/// The uploaded file again, with what is wrong marked.
pub async fn marked_workbook(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, import: Uuid, faulty_only: bool) -> Result<Vec<u8>, Error> {
    // It holds whole numbers, so it is for those who may enter them.
    directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let (report, sealed) = stored(tx, parts, school, import).await?.ok_or_else(|| Refusal::not_found("该次导入"))?;
    let sealed = sealed.ok_or_else(|| Refusal::new(Reason::NotFound, "原文件已超过保留期，请重新上传"))?;
    let bytes = parts.keyring.open("upload", &[import], &sealed).ok_or_else(|| Error::Internal("an upload does not open".into()))?;
    tokio::task::spawn_blocking(move || {
        let tables = read_tables(&bytes)?;
        let marks: Vec<Mark> = report
            .problems
            .iter()
            .chain(&report.faulty_rows)
            .map(|problem| Mark {
                sheet: problem.sheet.clone(),
                row: u32::try_from(problem.row).unwrap_or(0),
                column: problem.column.clone(),
                reason: problem.reason.clone(),
            })
            .collect();
        let (notes, columns) = rules::template();
        let template = xuezhu_workbook::Template { title: rules::TITLE, notes: &notes, columns: &columns };
        xuezhu_workbook::marked(template, &tables, &marks, faulty_only).map_err(|error| Error::Internal(error.to_string()))
    })
    .await
    .map_err(|error| Error::Internal(error.to_string()))?
}

/// Imports a file that was previewed, from its sealed copy.
pub async fn commit(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, import: Uuid, all_or_nothing: bool) -> Result<ImportReport, Error> {
    directory::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let (report, sealed) = stored(tx, parts, school, import).await?.ok_or_else(|| Refusal::not_found("该次预览"))?;
    if !report.preview {
        return Err(Refusal::wrong_state("该文件已经导入过").into());
    }
    let sealed = sealed.ok_or_else(|| Refusal::new(Reason::NotFound, "原文件已超过保留期，请重新上传"))?;
    let bytes = parts.keyring.open("upload", &[import], &sealed).ok_or_else(|| Error::Internal("an upload does not open".into()))?;
    let content_hash = *blake3::hash(&bytes).as_bytes();
    let (import, keyring) = (ctx.new_id(), parts.keyring.clone());
    let read = tokio::task::spawn_blocking(move || Ok::<_, Error>((read_tables(&bytes)?, keyring.seal("upload", &[import], &bytes))));
    let (tables, sealed) = read.await.map_err(|error| Error::Internal(error.to_string()))??;
    let upload = Upload {
        school: school.to_owned(),
        preview: false,
        all_or_nothing,
        include_hidden: report.include_hidden,
        blank_clears: report.blank_clears,
        import,
        tables: std::sync::Arc::new(tables),
        file_sealed: std::sync::Arc::new(sealed),
        content_hash,
    };
    self::import(ctx, tx, parts, &upload).await
}

/// The report of an import.
pub async fn report(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, import: Uuid) -> Result<ImportReport, Error> {
    directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    let (report, _) = stored(tx, parts, school, import).await?.ok_or_else(|| Refusal::not_found("该次导入"))?;
    Ok(report)
}

/// An import's report, which tells ends of numbers and so is sealed, and its sealed file while that is kept.
async fn stored(tx: &mut Tx, parts: &Parts, school: &str, import: Uuid) -> Result<Option<(ImportReport, Option<Vec<u8>>)>, Error> {
    let Some((report, file)) = store::import(tx, school, import).await? else { return Ok(None) };
    let report = parts.keyring.open("report", &[import], &report).ok_or_else(|| Error::Internal("a report does not open".into()))?;
    Ok(Some((ImportReport::decode(&report[..]).map_err(|_| StoreError::Corrupt("import report"))?, file)))
}

/// Forgets files that are older than [`FILE_KEPT_US`]; the receipts stay.
pub async fn forget_old_files(tx: &mut Tx, now_us: i64) -> Result<(), Error> {
    store::forget_files_before(tx, now_us - FILE_KEPT_US).await?;
    Ok(())
}

/// Everything that was found in a file.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    faulty: HashSet<(String, u32)>,
    listed: HashSet<(String, u32)>,
    omitted: usize,
    hidden: usize,
    /// Majors whose doubt was told.
    doubted: HashSet<&'static str>,
}

impl Findings {
    /// Tells what of a table stays out because nobody sees it.
    fn left_out(&mut self, table: &Table, include_hidden: bool) {
        for out in table.left_out(include_hidden) {
            self.hidden += out.rows;
            self.add(&table.sheet, out.row, Vec::new(), vec![RowProblem::new("", "", out.code, out.reason)]);
        }
    }

    /// Tells once, at its first row, what is doubtful about a major.
    fn doubt(&mut self, sheet: &str, number: u32, major: &'static Major) {
        if let Some(doubt) = major.doubt().filter(|_| self.doubted.insert(major.stored)) {
            self.add(sheet, number, Vec::new(), vec![RowProblem::new("专业简称", major.name, "MAJOR_CODE", doubt)]);
        }
    }

    fn add(&mut self, sheet: &str, number: u32, problems: Vec<RowProblem>, warnings: Vec<RowProblem>) {
        if !problems.is_empty() {
            self.faulty.insert((sheet.to_owned(), number));
        }
        for problem in problems {
            if self.problems.len() < PROBLEMS_LISTED {
                self.listed.insert((sheet.to_owned(), number));
                self.problems.push(problem.at(sheet, number));
            } else {
                self.omitted += 1;
            }
        }
        let room = PROBLEMS_LISTED.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room).map(|warning| warning.at(sheet, number)));
    }

    fn report(mut self, total: usize, effects: &[(Keyed, Effect)]) -> ImportReport {
        let count = |wanted: fn(&Effect) -> bool| small(effects.iter().filter(|(_, effect)| wanted(effect)).count());
        self.problems.sort_by(|a, b| (&a.sheet, a.row).cmp(&(&b.sheet, b.row)));
        let mut unlisted: Vec<&(String, u32)> = self.faulty.difference(&self.listed).collect();
        unlisted.sort_unstable();
        let why = || format!("本行有问题，未逐条列出（一次最多列出{PROBLEMS_LISTED}条）；请先改正已列出的，再上传一次");
        let faulty_rows = unlisted.into_iter().map(|(sheet, row)| RowProblem::new("", "", "NOT_LISTED", why()).at(sheet, *row)).collect();
        ImportReport {
            import_id: String::new(),
            rows_total: small(total - self.hidden),
            rows_hidden: small(self.hidden),
            include_hidden: false,
            blank_clears: false,
            rows_new: count(|effect| matches!(effect, Effect::New)),
            rows_changed: count(|effect| matches!(effect, Effect::Changed(_))),
            rows_unchanged: count(|effect| matches!(effect, Effect::Unchanged)),
            rows_faulty: small(self.faulty.len()),
            problems: self.problems,
            warnings: self.warnings,
            preview: false,
            problems_omitted: small(self.omitted),
            faulty_rows,
            rows_absent: 0,
            rows_furniture: 0,
        }
    }
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exchanged_and_shifted_as_a_set_or_stay() {
        let id = |number: u128| Uuid::from_u128(number);
        let moved = |moves: &[(u128, Option<u128>)]| {
            let moves: Vec<Move> = moves.iter().map(|(of, from)| Move { of: id(*of), from: from.map(id) }).collect();
            let mut moving: Vec<u128> = moving(&moves).into_iter().map(|id| id.as_u128()).collect();
            moving.sort_unstable();
            moving
        };
        // To a number that nobody has; exchanged; in a ring; shifted by one, the last to a free one.
        assert_eq!(moved(&[(1, None)]), [1]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(1))]), [1, 2]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, Some(1))]), [1, 2, 3]);
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, None)]), [1, 2, 3]);
        // The last one's number stays somebody's who is not in the file, or may not be changed: so do all before.
        assert_eq!(moved(&[(1, Some(2)), (2, Some(3)), (3, Some(9))]), [0_u128; 0]);
        assert_eq!(moved(&[(1, Some(2)), (4, Some(5)), (5, None)]), [4, 5]);
    }
}
