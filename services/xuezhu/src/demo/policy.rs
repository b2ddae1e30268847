//! The policy of the demo's province: what comes with the program, and what a province adds of its own: which tier is for whom, how many of each
//! school may be let in by hardship in one spring, and which private schools are given the grant in that spring.

use xuezhu_judge::policy::file::BUILT_IN;

use super::{
    calendar::{NEXT_SPRING, Term},
    make::{PROVINCE, school_code},
    world::Scheme,
};

/// How many of a school may be let in by hardship in the second spring.
pub const PLACES: usize = 2;
/// Which school is private, and on the province's list.
pub const LISTED: usize = 2;
/// Which school is private, and not on it.
pub const UNLISTED: usize = 1;

/// Whether no student of a school is given a scheme in a term, for the school is private and not on the list.
pub fn bars(school: usize, scheme: Scheme, term: &Term) -> bool {
    school == UNLISTED && scheme == Scheme::Grant && term.name == NEXT_SPRING.name
}

/// As it is written.
pub fn text() -> String {
    let tiers = [2000, 2300]
        .map(|yuan| (format!("yuan = {yuan} }}"), format!("yuan = {yuan}, levels = [\"特别困难\", \"困难\"], grounds = [\"AGRICULTURAL_MAJOR\"] }}")));
    let highest = [3000, 3300].map(|yuan| (format!("yuan = {yuan} }}"), format!("yuan = {yuan}, levels = [\"特别困难\"] }}")));
    let text = tiers.iter().chain(&highest).fold(BUILT_IN.to_owned(), |text, (from, to)| {
        // What a waiver comes to is for anybody.
        let (grant, waiver) = text.split_once("code = \"TUITION_WAIVER\"").unwrap_or((&text, ""));
        format!("{}code = \"TUITION_WAIVER\"{waiver}", grant.replace(from, to))
    });
    let places = format!(
        "[[quota]]\nid = \"school-places\"\nscheme = \"GRANT\"\nregions = [\"{PROVINCE}\"]\nfrom = \"2018-SPRING\"\nto = \"2018-SPRING\"\neach = \"SCHOOL\"\n\
         persons = {PLACES}\nlimits = [\"HARDSHIP\"]\nbase_without = [\"AGRICULTURAL_MAJOR\", \"SPECIAL_AREA\"]\nsource = \"演示：省下达到校的名额\"\n\n"
    );
    let private = format!(
        "[[private]]\nschemes = [\"GRANT\"]\nregions = [\"{PROVINCE}\"]\nfrom = \"2018-SPRING\"\nto = \"2018-SPRING\"\nschools = [\"{}\"]\n\
         source = \"演示：省公布的享受国家助学金的民办学校\"\n\n",
        school_code(LISTED)
    );
    text.replacen("[[quota]]", &format!("{private}{places}[[quota]]"), 1)
}

#[cfg(test)]
mod tests {
    use xuezhu_judge::policy::{Policy, SchemeCode};

    #[test]
    fn it_is_sound_and_says_what_the_province_adds() {
        let policy = Policy::parse(&super::text()).expect("is sound");
        let of = |term: &str| policy.quotas_of(SchemeCode::GRANT, term.parse().expect("a term"), "430181").len();
        assert_eq!((of("2017-AUTUMN"), of("2018-SPRING")), (1, 2));
        let grant = policy.scheme(SchemeCode::GRANT).expect("is there");
        let rate = grant.rate_in("2016-AUTUMN".parse().expect("a term"), "430181").expect("is covered");
        assert_eq!(rate.most(&[], "").map(|tier| tier.yuan), Some(1000));
        assert_eq!(rate.most(&[], "困难").map(|tier| tier.yuan), Some(2000));
    }
}
