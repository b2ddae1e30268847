//! A table: its columns, its rows, what can be ticked, in which order it stands. On a narrow screen each row is a card, what can be done first.

use askama::{Template, filters::HtmlSafe};

use super::{Address, Cell, Place, cell::Kind};

/// In which order a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Up,
    /// Largest first.
    Down,
}

impl Order {
    /// As ARIA calls it.
    fn aria(self) -> &'static str {
        match self {
            Self::Up => "ascending",
            Self::Down => "descending",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Up => "▲",
            Self::Down => "▼",
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    label: String,
    kind: Kind,
    /// Where its order is changed, and what it is now.
    ordered: Option<(Address, Option<Order>)>,
    /// Whether it holds what can be done: first on a narrow screen, not printed.
    acts: bool,
}

/// How a row is ticked.
#[derive(Debug, Clone, Default)]
pub struct Tick {
    /// Id of the form to which it belongs.
    pub form: &'static str,
    /// Name of the field.
    pub name: &'static str,
    /// What is sent.
    pub value: String,
    /// Whom or what it means.
    pub label: String,
    /// Whether it is ticked.
    pub is_on: bool,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: Vec<Cell>,
    tick: Option<Tick>,
}

impl Row {
    /// A row of cells, as many as there are columns.
    pub fn of<const N: usize>(cells: [Cell; N]) -> Self {
        Self { cells: cells.into(), tick: None }
    }

    /// With a further cell.
    #[must_use]
    pub fn and(mut self, cell: Cell) -> Self {
        self.cells.push(cell);
        self
    }

    /// With a further cell, where the table has that column.
    #[must_use]
    pub fn and_if(self, has: bool, cell: impl FnOnce() -> Cell) -> Self {
        if has { self.and(cell()) } else { self }
    }

    /// That can be ticked, or not.
    #[must_use]
    pub fn ticked(self, tick: Option<Tick>) -> Self {
        Self { tick, ..self }
    }
}

/// What is said where there is no row.
#[derive(Debug, Clone, Default)]
pub struct Empty {
    text: String,
    ways: Vec<(Address, String)>,
}

/// A table.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/table.html")]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Whether rows can be ticked.
    ticks: bool,
    empty: Empty,
    place: Option<Place>,
    /// Whether its columns are alike on a narrow screen too, so that it stays a table there: few and short.
    narrow: bool,
    /// What stands above it on each sheet of paper, where it is whole.
    head: Option<String>,
}

impl HtmlSafe for Table {}

impl Table {
    /// A table with what it is called, for those who can't see what stands above it.
    pub fn of(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    fn with(mut self, label: &str, kind: Kind) -> Self {
        self.columns.push(Column { label: label.to_owned(), kind, ordered: None, acts: false });
        self
    }

    /// A column of words.
    #[must_use]
    pub fn column(self, label: &str) -> Self {
        self.with(label, Kind::Words)
    }

    /// Columns of words.
    #[must_use]
    pub fn columns<const N: usize>(self, labels: [&str; N]) -> Self {
        labels.into_iter().fold(self, Self::column)
    }

    /// A column that is there for some.
    #[must_use]
    pub fn column_if(self, has: bool, label: &str) -> Self {
        if has { self.column(label) } else { self }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(self, label: &str) -> Self {
        self.with(label, Kind::Number)
    }

    /// Columns of numbers.
    #[must_use]
    pub fn numbers<const N: usize>(self, labels: [&str; N]) -> Self {
        labels.into_iter().fold(self, Self::number)
    }

    /// The last column's order can be changed there.
    #[must_use]
    pub fn ordered(mut self, address: Address, now: Option<Order>) -> Self {
        if let Some(column) = self.columns.last_mut() {
            column.ordered = Some((address, now));
        }
        self
    }

    /// A column of what can be done.
    #[must_use]
    pub fn acts(mut self) -> Self {
        self.columns.push(Column { label: "办理".to_owned(), kind: Kind::Words, ordered: None, acts: true });
        self
    }

    /// Its rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// Whose rows can be ticked.
    #[must_use]
    pub fn ticks(self, ticks: bool) -> Self {
        Self { ticks, ..self }
    }

    /// What is said where there is no row.
    #[must_use]
    pub fn empty(mut self, text: impl Into<String>) -> Self {
        self.empty.text = text.into();
        self
    }

    /// Where to go where there is no row.
    #[must_use]
    pub fn empty_way(mut self, address: impl Into<Address>, text: &str) -> Self {
        self.empty.ways.push((address.into(), text.to_owned()));
        self
    }

    /// Where one is among all rows.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// That stays a table on a narrow screen.
    #[must_use]
    pub fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    /// To be printed whole, under a head on each sheet: without what is done on a screen.
    #[must_use]
    pub fn printed(mut self, head: String) -> Self {
        let acts: Vec<bool> = self.columns.iter().map(|column| column.acts).collect();
        for row in &mut self.rows {
            let mut is_act = acts.iter();
            row.cells.retain(|_| !is_act.next().copied().unwrap_or_default());
        }
        self.columns.retain(|column| !column.acts);
        self.columns.iter_mut().for_each(|column| column.ordered = None);
        Self { head: Some(head), ticks: false, place: None, ..self }
    }

    /// How many rows it has.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The class of a column's cells: a cell says how it stands, unless it only says words.
    fn class_of(column: &Column, cell: Option<&Cell>) -> &'static str {
        let kind = cell.map(|cell| cell.kind).filter(|kind| *kind != Kind::Words).unwrap_or(column.kind);
        match (column.acts, kind) {
            (true, _) => "act",
            (false, Kind::Number) => "n",
            (false, Kind::Unbroken) => "d",
            (false, Kind::Words) => "",
        }
    }
}
