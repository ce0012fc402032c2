use proptest::prelude::*;
use serde_json::Value;

use super::*;

const FORMATS: [Format; 4] = [Format::Json, Format::Yaml, Format::Toml, Format::Env];

fn item(key: &str, category: Option<&str>, value: &str) -> Item {
    let category = category.map(str::to_owned);
    Item { key: key.to_owned(), category, value: value.to_owned(), schema: None }
}

/// Any JSON, with numbers and texts that formats are known to trip over.
fn values() -> impl Strategy<Value = String> {
    let texts = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "",
            " ",
            "yes",
            "no",
            "null",
            "~",
            "1",
            "1.0",
            "0x1f",
            "1_000",
            "2024-01-01",
            "a: b",
            "- a",
            "# a",
            "a\nb",
            "a\r\nb",
            "'",
            "\"",
            "$HOME `x`",
            "\\n",
            "\t",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "<<",
            "=",
            "é",
        ])
        .prop_map(str::to_owned),
    ];
    let numbers = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("JSON has it", |number| number.is_finite()).prop_map(|n| format!("{n:e}")),
        prop::sample::select(vec![
            "-0",
            "1.50",
            "1e2",
            "0.1234567890123456789",
            "99999999999999999999",
            "1E400"
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        numbers,
        texts.clone().prop_map(|text| Value::String(text).to_string()),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let fields = prop::collection::btree_map(texts.clone(), inner, 0..4);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(", "))),
            fields.prop_map(|fields| {
                let field =
                    |(name, value): (&String, &String)| format!("{}: {value}", Value::from(name.as_str()));
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/.-]{1,12}",
        "\\PC{1,20}",
        any::<String>().prop_filter("not empty", |key| !key.is_empty())
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn what_is_written_in_a_format_is_read_as_what_it_was(
        items in prop::collection::btree_map(names(), (prop::option::of(names()), values(), prop::option::of(values())), 0..8),
        environment in prop::option::of(names()),
        salt in prop::option::of(any::<[u8; 32]>()),
    ) {
        let item = |(key, (category, value, schema)): (&String, &(Option<String>, String, Option<String>))| {
            Item { schema: schema.clone(), ..item(key, category.as_deref(), value) }
        };
        let items: Vec<_> = items.iter().map(item).collect();
        let salt = salt.map(|half| *[half, half].as_flattened().first_chunk().unwrap());
        let document = Document { salt, environment, items };
        for format in FORMATS {
            let text = match format.write(&document) {
                Err(DocumentError::SameVariable { .. }) if format == Format::Env => continue,
                text => text.unwrap(),
            };
            let back = format.read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!((back.salt, &back.environment), (document.salt, &document.environment));
            prop_assert_eq!(back.items.len(), document.items.len());
            for (back, item) in back.items.iter().zip(&document.items) {
                prop_assert_eq!((&back.key, &back.category), (&item.key, &item.category));
                prop_assert!(same(&item.value, &back.value), "{} became {} by\n{}", item.value, back.value, text);
                prop_assert!(format != Format::Json || (&back.value, &back.schema) == (&item.value, &item.schema));
                match (&item.schema, &back.schema) {
                    (Some(schema), Some(back)) => prop_assert!(same(schema, back), "{schema} became {back} by\n{text}"),
                    (schema, back) => prop_assert_eq!(schema, back),
                }
            }
        }
    }

    #[test]
    fn whatever_is_read_answers(text in any::<String>()) {
        for format in FORMATS {
            let _ = format.read(&text);
        }
    }
}

/// The document of these values, and what comes back of it from a format.
fn there_and_back(format: Format, values: &[String]) -> Result<Document, DocumentError> {
    let item = |(place, value): (usize, &String)| item(&format!("k{place}"), None, value);
    let items = values.iter().enumerate().map(item).collect();
    format.read(&format.write(&Document { items, ..Document::default() })?)
}

#[test]
fn what_is_nested_as_deep_as_may_be_comes_back_from_every_format() {
    for depth in [50, 58, 60, 61, 62, 63, 64, 75, 76, 77, 78, 79, 80, 81, 110, 120, 123, 124, 125, 126, 127] {
        let object = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let list = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        for format in FORMATS {
            let back = there_and_back(format, &[object.clone(), list.clone()]).unwrap();
            assert!(same(&back.items[0].value, &object), "{format:?}, objects, {depth}");
            assert!(same(&back.items[1].value, &list), "{format:?}, lists, {depth}");
        }
    }
}

#[test]
fn a_document_of_very_many_values_comes_back_from_every_format_that_takes_as_much() {
    let list = format!("[{}1]", "1,".repeat(90_000));
    for format in [Format::Json, Format::Yaml, Format::Env] {
        let back = there_and_back(format, &[list.clone(), list.clone(), list.clone()]).unwrap();
        assert!(back.items.len() == 3 && same(&back.items[2].value, &list), "{format:?}");
    }
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let text = Value::String("x".repeat(MIB)).to_string();
    let refused = there_and_back(Format::Toml, std::slice::from_ref(&text)).unwrap_err();
    assert_eq!(refused, DocumentError::TooLong { bytes_max: MIB });
    assert!(there_and_back(Format::Toml, &[text[..MIB / 2].to_owned() + "\""]).is_ok());
    assert!(there_and_back(Format::Json, &vec![text; 7]).is_ok());
    // Short values, and much around them.
    let many = vec!["1".to_owned(); MIB / 8];
    let written = Format::Toml.write(&Document {
        items: many.iter().enumerate().map(|(place, one)| item(&format!("k{place}"), None, one)).collect(),
        ..Document::default()
    });
    assert_eq!(written.unwrap_err(), DocumentError::TooLong { bytes_max: MIB });
}

#[test]
fn an_object_with_a_private_name_of_the_parser_stays_an_object() {
    let value = r#"{"$serde_json::private::RawValue":"{\"admin\":true}"}"#.to_owned();
    assert!(!same(&value, r#"{"admin":true}"#));
    for format in FORMATS {
        let back = there_and_back(format, std::slice::from_ref(&value)).unwrap();
        assert!(same(&back.items[0].value, &value), "{format:?}: {}", back.items[0].value);
    }
}

fn example() -> Document {
    let items = vec![
        item("debug", None, "false"),
        item("host", Some("db"), "\"localhost\""),
        item("limits", None, "{\"cpu\":2.5,\"none\":null}"),
        Item { schema: Some("{\"type\":\"integer\"}".to_owned()), ..item("port", Some("db"), "5432") },
        Item { schema: Some("{\"const\":null}".to_owned()), ..item("zero", None, "null") },
    ];
    Document { salt: Some([7; 64]), environment: Some("staging".to_owned()), items }
}

#[test]
fn each_format_is_written_as_its_readers_expect_it() {
    let salt =
        example().salt.map(|salt| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, salt));
    let salt = salt.unwrap();
    let json = format!(
        r#"{{
  "coffer_configs": 1,
  "salt": "{salt}",
  "environment": "staging",
  "configs": {{
    "debug": {{
      "value": false
    }},
    "host": {{
      "category": "db",
      "value": "localhost"
    }},
    "limits": {{
      "value": {{"cpu":2.5,"none":null}}
    }},
    "port": {{
      "category": "db",
      "value": 5432,
      "schema": {{"type":"integer"}}
    }},
    "zero": {{
      "value": null,
      "schema": {{"const":null}}
    }}
  }}
}}
"#
    );
    assert_eq!(Format::Json.write(&example()).unwrap(), json);
    let yaml = Format::Yaml.write(&example()).unwrap();
    assert!(yaml.contains("  host:\n    category: db\n    value: localhost\n"), "{yaml}");
    assert!(yaml.contains("    value: 5432\n    schema:\n      type: integer\n"), "{yaml}");
    let toml = Format::Toml.write(&example()).unwrap();
    assert!(toml.contains("[configs.host]\ncategory = \"db\"\nvalue = \"localhost\"\n"), "{toml}");
    assert!(toml.contains("[configs.limits]\njson = '{\"cpu\":2.5,\"none\":null}'\n"), "{toml}");
    assert!(toml.contains("[configs.port.schema]\ntype = \"integer\"\n"), "{toml}");
    assert!(toml.contains("[configs.zero]\njson = \"null\"\nschema_json = '{\"const\":null}'\n"), "{toml}");
    let env = Format::Env.write(&example()).unwrap();
    let expected = format!(
        r#"# coffer {{"coffer_configs":1,"salt":"{salt}","environment":"staging"}}
# coffer {{"key":"debug","json":true}}
DEBUG='false'
# coffer {{"key":"host","category":"db"}}
DB_HOST='localhost'
# coffer {{"key":"limits","json":true}}
LIMITS='{{"cpu":2.5,"none":null}}'
# coffer {{"key":"port","category":"db","json":true,"schema":"{{\"type\":\"integer\"}}"}}
DB_PORT='5432'
# coffer {{"key":"zero","json":true,"schema":"{{\"const\":null}}"}}
ZERO='null'
"#
    );
    assert_eq!(env, expected);
}

/// Texts of all triples of characters that mean something to a shell or to a reader, and some more.
fn hostile() -> Vec<String> {
    let chars = ['\'', '"', '\\', '$', '`', '\n', '\r', ' ', '#', 'n', '!', 'ß', '\t'];
    let pairs = chars.iter().flat_map(|a| chars.iter().map(move |b| format!("{a}{b}")));
    let triples = pairs.flat_map(|two| chars.iter().map(move |c| format!("{two}{c}")).collect::<Vec<_>>());
    let more = [
        "",
        "$HOME ${HOME} $(id) `id`",
        "it's\nof \"two\"\nlines\n",
        "'\\''",
        " # no comment",
        "# coffer {}",
        "A=b\nB=c",
        "~ * ? [a] {b,c}",
        "a;b&c|d<e>f",
        "%s\\c",
        "-n",
        "größe ☃ 🦀",
        "\u{feff}\u{2028}\u{85}\u{7f}\u{1b}[0m",
    ];
    triples.chain(more.map(str::to_owned)).collect()
}

#[test]
fn a_shell_and_an_import_read_the_same_text_of_every_variable() {
    let texts = hostile();
    let named = |(number, text): (usize, &String)| {
        item(&format!("v{number}"), None, &serde_json::to_string(text).unwrap())
    };
    let items: Vec<_> = texts.iter().enumerate().map(named).collect();
    let written = Format::Env.write(&Document { items: items.clone(), ..Document::default() }).unwrap();
    assert!(Format::Env.read(&written).unwrap().items == items, "our own import");

    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, written.as_bytes()).unwrap();
    let tell = "set -eu; . \"$1\"; n=0; while [ $n -lt $2 ]; do eval \"printf '%s\\\\0' \\\"\\$V$n\\\"\"; n=$((n+1)); done";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", tell, "sh"]).arg(file.path()).arg(texts.len().to_string());
    let told = shell.output().unwrap();
    assert!(told.status.success() && told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout).unwrap();
    let mut told: Vec<_> = told.split('\0').collect();
    assert_eq!(told.pop(), Some(""), "each ends with one");
    assert_eq!(told.len(), texts.len());
    for (told, text) in told.iter().zip(&texts) {
        assert_eq!(told, text);
    }
}

#[test]
fn a_text_that_no_variable_can_be_is_said_in_json() {
    let items = vec![item("a", None, "\"x\\u0000y\"")];
    let document = Document { items, ..Document::default() };
    let written = Format::Env.write(&document).unwrap();
    assert_eq!(written.lines().last(), Some("A='\"x\\u0000y\"'"), "{written}");
    assert!(Format::Env.read(&written).unwrap().items == document.items);
    // What was written with `\\n` for a line end, and what others write so, is still read.
    let earlier = Format::Env.read("A=\"it's\\n\\\\n\"\n").unwrap();
    assert_eq!(earlier.items[0].value, "\"it's\\n\\\\n\"");
}

#[test]
fn two_configurations_of_one_variable_are_named() {
    let items = vec![item("a-b", None, "1"), item("b", Some("a"), "2")];
    let error = Format::Env.write(&Document { items, ..Document::default() }).unwrap_err();
    assert_eq!(error.to_string(), "configurations 'a-b' and 'b' would both be the variable A_B");
}

#[test]
fn documents_of_other_hands_are_read() {
    let yaml =
        "coffer_configs: 1\nconfigs:\n  a: {value: yes}\n  b: {value: &x [1, two]}\n  c: {value: *x}\n";
    let found = Format::Yaml.read(yaml).unwrap();
    let values: Vec<_> = found.items.iter().map(|item| item.value.as_str()).collect();
    assert_eq!(values, ["\"yes\"", "[1,\"two\"]", "[1,\"two\"]"]);
    let toml = "coffer_configs = 1\nconfigs.a.value = 2024-01-01\nconfigs.b.value = [1, 'x', {y = 0.5}]\n";
    let found = Format::Toml.read(toml).unwrap();
    let values: Vec<_> = found.items.iter().map(|item| item.value.as_str()).collect();
    assert_eq!(values, ["\"2024-01-01\"", "[1,\"x\",{\"y\":0.5}]"]);
    let env = "\n# theirs\nexport HOST=\"a\\n\\$b\" # said\nPORT=5432 # x\nEMPTY=\nTWO='a\nb'\nLAST= c d ";
    let found = Format::Env.read(env).unwrap();
    let found: Vec<_> = found.items.iter().map(|item| format!("{} {}", item.key, item.value)).collect();
    let expected = ["HOST \"a\\n$b\"", "PORT \"5432\"", "EMPTY \"\"", "TWO \"a\\nb\"", "LAST \"c d\""];
    assert_eq!(found, expected);
}

#[test]
fn what_is_wrong_is_named_by_its_place_and_nothing_of_it_is_repeated() {
    for (format, text, said) in [
        (Format::Json, "{\"coffer_configs\": 1,\n \"planted\": 1}", "line 2, column 10"),
        (Format::Json, "{\"coffer_configs\": 2, \"configs\": {}}", "`coffer_configs` is not 1"),
        (
            Format::Json,
            "{\"coffer_configs\": 1, \"configs\": {\"a\": {}}}",
            "configuration 'a': it has one of",
        ),
        (
            Format::Json,
            "{\"coffer_configs\": 1, \"configs\": {\"a\": {\"value\": 1}, \"a\": {\"value\": 2}}}",
            "line 1",
        ),
        (
            Format::Json,
            "{\"coffer_configs\": 1, \"configs\": {\"a\": {\"json\": \"planted\"}}}",
            "`json` is not JSON",
        ),
        (
            Format::Json,
            "{\"coffer_configs\": 1, \"configs\": {\"a\": {\"value\": 1, \"schema_json\": \"planted\"}}}",
            "`schema_json` is not JSON",
        ),
        (
            Format::Toml,
            "coffer_configs = 1\nconfigs.a = {value = 1, schema = true, schema_json = 'true'}\n",
            "configuration 'a': it has one of",
        ),
        (Format::Json, "{\"coffer_configs\": 1, \"salt\": \"planted\", \"configs\": {}}", "`salt`"),
        (Format::Yaml, "coffer_configs: 1\nconfigs:\n  a: {value: .nan}\n", "line 3"),
        (Format::Yaml, "coffer_configs: 1\nconfigs: [planted]\n", "line 2"),
        (Format::Yaml, "coffer_configs: 1\nconfigs: {a: {value: 1}, a: {value: 2}}\n", "line 2"),
        (Format::Toml, "coffer_configs = 1\nconfigs = \"planted\n", "line 2"),
        (Format::Toml, "coffer_configs = 1\nconfigs.a.value = nan\n", "none in JSON"),
        (Format::Toml, "coffer_configs = 1\nplanted = 1\n", "not what a document has"),
        (Format::Env, "A=1\nplanted\n", "line 2"),
        (Format::Env, "A=1\nB='planted\n", "line 2"),
        (Format::Env, "A='a' planted\n", "line"),
        (Format::Env, "A=1\nA=2\n", "configuration 'A': it is there twice"),
        (Format::Env, "# coffer {\"key\":\"a\"}\nB=planted\n", "line 2"),
        (Format::Env, "# coffer {\"key\":\"a\",\"json\":true}\nA=planted\n", "line 2"),
        (Format::Env, "# coffer {\"key\":\"a\"}\n", "of no variable"),
        (Format::Env, "# coffer {\"key\":\"a\",\"schema\":\"planted\"}\nA=1\n", "line 2"),
    ] {
        let error = format.read(text).expect_err(text).to_string();
        assert!(error.contains(said) && !error.contains("planted"), "{format:?}: {error}");
    }
    // What is expanded is bounded.
    let layer = |n| format!("  k{n}: &a{n} {{value: [{}]}}\n", format!("*a{},", n - 1).repeat(9));
    let layers: Vec<_> = (1..12).map(layer).collect();
    let bomb = format!("coffer_configs: 1\nconfigs:\n  k0: &a0 {{value: 1}}\n{}", layers.concat());
    assert!(Format::Yaml.read(&bomb).is_err());
}
