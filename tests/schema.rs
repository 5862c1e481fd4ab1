//! The JSON Schema of the design file: what `semel schema` prints is in `docs/semel.schema.json`, takes
//! every design that comes with semel, and refuses what is none.

use jsonschema::Validator;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&semel::design::schema()).expect("JSON");
    jsonschema::draft7::new(&schema).expect("a schema")
}

/// A text as a validator of TOML sees it.
fn instance(text: &str) -> Value {
    let document: DocumentMut = text.parse().expect("TOML");
    item(document.as_item())
}

fn item(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        let members = table
            .iter()
            .map(|(key, inner)| (key.to_owned(), self::item(inner)));
        return Value::Object(members.collect::<Map<_, _>>());
    }
    item.as_value().map_or(Value::Null, value)
}

fn value(own: &toml_edit::Value) -> Value {
    match own {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(truth) => (*truth.value()).into(),
        toml_edit::Value::Datetime(time) => time.to_string().into(),
        toml_edit::Value::Array(items) => items.iter().map(value).collect(),
        toml_edit::Value::InlineTable(table) => {
            let members = table
                .iter()
                .map(|(key, inner)| (key.to_owned(), value(inner)));
            Value::Object(members.collect())
        }
    }
}

fn designs(folder: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join(folder)).expect("a folder");
    let paths = files.map(|file| file.expect("a file").path());
    paths
        .filter(|path| path.extension().is_some_and(|own| own == "toml"))
        .collect()
}

fn refused(validator: &Validator, text: &str) -> Vec<String> {
    let instance = instance(text);
    let errors = validator.iter_errors(&instance);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_copy_for_editors_is_what_the_command_prints() {
    let file = root().join("docs/semel.schema.json");
    let schema = semel::design::schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &schema).expect("it can be written");
    }
    let copy = std::fs::read_to_string(&file).expect("it is there");
    assert!(
        copy == schema,
        "UPDATE_SCHEMA=1 cargo test --test schema writes it anew"
    );
}

#[test]
fn it_takes_every_design_that_comes_with_semel() {
    let validator = validator();
    let mut files = Vec::new();
    for folder in [
        "models/designs",
        "models/catalogue",
        "examples/recipes",
        "src/cli/init",
    ] {
        files.extend(designs(folder));
    }
    assert!(files.len() > 120, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let errors = refused(&validator, &text);
        assert!(errors.is_empty(), "{}: {errors:#?}", name(&file));
    }
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

#[test]
fn it_refuses_what_reading_the_design_refuses() {
    let validator = validator();
    let order = "[application]\norder = \"process -> commit\"\n";
    for wrong in [
        String::from("[consumer]\nenable.auto.commit = false\n"),
        String::from("[application]\nworkers = 1\n"),
        format!("{order}worker = 1\n"),
        format!("{order}workers = 5\n"),
        format!("{order}on-process-failure = {{ attempts = 0, then = \"skip\" }}\n"),
        format!("{order}on-process-failure = {{ then = \"forget\" }}\n"),
        format!("{order}framework = \"spring\"\n"),
        format!("{order}[consumer]\nenable.auto.comit = false\n"),
        format!("{order}[consumer]\n\"enable.auto.comit\" = false\n"),
        format!("{order}[consumer]\nenable.auto.commit = 5\n"),
        format!("{order}[producer]\nacks = \"most\"\n"),
        format!("{order}[producer]\nacks = true\n"),
        format!("{order}[topic]\nmin.insync.replicas = 0\n"),
        format!("{order}[output]\nacks = 1\n"),
        format!("{order}[faults]\nresponse-lost.commit = 1\n"),
        format!("{order}[faults]\nconsumer-crash = 9\n"),
        format!("{order}[faults]\npower-cut = 1\n"),
        format!("{order}[expect]\nno-loss = \"kept\"\n"),
        format!("require = [\"no-los\"]\n{order}"),
        format!("require = [\"no-loss\"]\n{order}[expect]\nno-loss = \"holds\"\n"),
        format!("{order}[bounds]\nrecords = 7\n"),
        format!("{order}[sinks]\neffect = \"add\"\n"),
    ] {
        assert!(
            !refused(&validator, &wrong).is_empty(),
            "the schema takes:\n{wrong}"
        );
        let read = semel::Design::parse("wrong.toml", wrong.as_bytes());
        assert!(read.is_err(), "reading takes:\n{wrong}");
    }
}

#[test]
fn every_property_is_there_flat_and_nested() {
    let validator = validator();
    for text in [
        "[consumer]\nenable.auto.commit = false\n",
        "[consumer]\n\"enable.auto.commit\" = \"false\"\n",
        "[consumer]\ngroup.protocol = \"consumer\"\n\"group.protocol.type\" = \"consumer\"\n",
        "[output.producer]\ntransactional.id = \"a\"\n",
        "[faults]\nresponse-lost.produce = 1\n",
        "[faults]\n\"response-lost.produce\" = 1\n",
    ] {
        let text = format!("{text}[application]\norder = \"process -> commit\"\n");
        let errors = refused(&validator, &text);
        assert!(errors.is_empty(), "{text}{errors:#?}");
    }
}
