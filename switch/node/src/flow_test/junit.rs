//! The outcome of tests as JUnit's XML, which every CI reads.

use super::Done;
use crate::flow_graph::escaped;
use std::fmt::Write;

/// All tests: each file with its cases.
pub fn junit(files: &[(String, Vec<Done>)]) -> String {
    let count = |cases: &[Done]| (cases.len(), cases.iter().filter(|case| case.failure.is_some()).count());
    let (cases, failures) =
        files.iter().map(|(_, cases)| count(cases)).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"flows\" tests=\"{cases}\" failures=\"{failures}\">\n"
    );
    for (file, cases) in files {
        let (tests, failures) = count(cases);
        let took: f64 = cases.iter().map(|case| case.took).sum();
        let file = escaped(file);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{took:.3}\">"
        );
        for case in cases {
            let name = escaped(&case.name);
            let _ =
                write!(out, "    <testcase name=\"{name}\" classname=\"{file}\" time=\"{:.3}\"", case.took);
            let _ = match &case.failure {
                None => writeln!(out, "/>"),
                Some(why) => {
                    let first = escaped(why.lines().next().unwrap_or_default());
                    writeln!(
                        out,
                        ">\n      <failure message=\"{first}\">{}</failure>\n    </testcase>",
                        escaped(why)
                    )
                }
            };
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_told_and_what_went_otherwise_says_why() {
        let good = Done { name: "1 & 2".into(), took: 0.25, failure: None };
        let bad = Done { name: "busy".into(), took: 0.0, failure: Some("step 2:\n  expected <x>".into()) };
        let text = junit(&[("a.test.toml".into(), vec![good, bad])]);
        let wanted = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <testsuites name=\"flows\" tests=\"2\" failures=\"1\">\n  \
            <testsuite name=\"a.test.toml\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.250\">\n    \
            <testcase name=\"1 &amp; 2\" classname=\"a.test.toml\" time=\"0.250\"/>\n    \
            <testcase name=\"busy\" classname=\"a.test.toml\" time=\"0.000\">\n      \
            <failure message=\"step 2:\">step 2:\n  expected &lt;x&gt;</failure>\n    </testcase>\n  \
            </testsuite>\n</testsuites>\n";
        assert_eq!(text, wanted);
    }
}
