//! SpamAssassin finds nothing to hold against the templates that we ship.

use super::{judges, there};
use std::process::{Command, Stdio};

/// Loads the rules once for all mails: that is what takes SpamAssassin its time.
const SCRIPT: &str = r#"
use Mail::SpamAssassin;
my $judge = Mail::SpamAssassin->new({ local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => "/dev/null" });
for my $file (@ARGV) {
    open(my $in, "<", $file) or die $!;
    my @lines = <$in>;
    my $mail = $judge->parse(\@lines);
    my $status = $judge->check($mail);
    printf "%s\t%s\t%s\n", $file, $status->get_score(), $status->get_names_of_tests_hit();
    $status->finish(); $mail->finish();
}
"#;

/// Of ours is the mail, not the network: what is asked of DNS is not asked here, and the addresses are examples.
#[test]
fn the_shipped_templates_score_at_most_half_a_point() {
    let perl = |script: &str| {
        let mut command = Command::new("perl");
        command.args(["-e", script]).stderr(Stdio::null());
        command
    };
    if !there("SpamAssassin (spamassassin)", perl("use Mail::SpamAssassin;").status().is_ok_and(|s| s.success())) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (i, (name, mail)) in judges::shipped().into_iter().enumerate() {
        let file = dir.path().join(format!("{i}.eml"));
        std::fs::write(&file, mail).unwrap();
        files.push((name, file));
    }
    let output = perl(SCRIPT).args(files.iter().map(|(_, file)| file)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), files.len(), "SpamAssassin did not judge: {said}");
    for ((name, _), line) in files.iter().zip(lines) {
        let mut parts = line.split('\t').skip(1);
        let score: f64 = parts.next().unwrap().parse().unwrap();
        println!("{name}: {line}");
        assert!(score <= 0.5, "{name}: {line}");
    }
}
