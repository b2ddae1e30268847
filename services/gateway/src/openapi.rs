//! The `OpenAPI` document, made from the descriptors that the routes are made from, so that it can't say anything else.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use axum::{Json, response::IntoResponse};
use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value as Pb};
use serde_json::{Map, Value, json};

use crate::rest::is_open;
use crate::takeouts;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);

/// Names of the query parameters of each operation, by verb and path with its parameters left blank.
static QUERIES: LazyLock<HashMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let mut queries = HashMap::new();
    for (path, item) in DOCUMENT["paths"].as_object().into_iter().flatten() {
        for (verb, operation) in item.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let names = parameters.filter(|parameter| parameter["in"] == "query").filter_map(|parameter| parameter["name"].as_str());
            queries.insert(format!("{verb} {}", blank(path)), names.map(str::to_owned).collect());
        }
    }
    queries
});

fn blank(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// The query parameters that an operation takes; none where the document knows no such operation.
pub fn query_of(verb: &str, path: &str) -> Option<&'static BTreeSet<String>> {
    QUERIES.get(&format!("{} {}", verb.to_lowercase(), blank(path)))
}

/// `/openapi.json`: open to all.
pub async fn document() -> impl IntoResponse {
    Json(&*DOCUMENT)
}

/// The document.
pub fn build() -> Value {
    let pool = &xuezhu_proto::POOL;
    let http = pool.get_extension_by_name("google.api.http");
    let (mut paths, mut wanted) = (Map::new(), BTreeSet::new());
    for service in pool.services() {
        for method in service.methods() {
            let Some(http) = &http else { continue };
            let options = method.options();
            if !options.has_extension(http) {
                continue;
            }
            let Pb::Message(rule) = options.get_extension(http).into_owned() else { continue };
            add(&mut paths, &mut wanted, &method, &rule);
            if let Some(more) = rule.get_field_by_name("additional_bindings").and_then(|more| more.as_list().map(<[Pb]>::to_vec)) {
                for rule in more.iter().filter_map(Pb::as_message) {
                    add(&mut paths, &mut wanted, &method, rule);
                }
            }
        }
    }
    add_streamed(&mut paths, &mut wanted);
    let mut schemas = Map::new();
    while let Some(name) = wanted.pop_first() {
        if let Some(message) = pool.get_message_by_name(&name) {
            let schema = schema(&message, &mut wanted, &schemas);
            schemas.insert(name, schema);
        }
    }
    schemas.insert("google.rpc.Status".into(), status_schema());
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "xuezhu 学助",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Student records (学籍) and student aid (资助) of secondary vocational schools. Errors are google.rpc.Status; the reason in its ErrorInfo is stable.",
            "license": { "name": "Apache-2.0" }
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } }
        },
        "security": [{ "bearer": [] }]
    })
}

fn add(paths: &mut Map<String, Value>, wanted: &mut BTreeSet<String>, method: &MethodDescriptor, rule: &DynamicMessage) {
    let text = |name: &str| rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).filter(|text| !text.is_empty());
    let Some((verb, path)) = ["get", "post", "put", "patch", "delete"].into_iter().find_map(|verb| text(verb).map(|path| (verb, path))) else { return };
    let (input, output) = (method.input(), method.output());
    let in_path: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let mut parameters: Vec<Value> = in_path.iter().map(|name| parameter(&input, name, "path")).collect();
    let has_body = text("body").is_some();
    if !has_body {
        parameters.extend(input.fields().filter(|field| !in_path.contains(&field.name())).map(|field| parameter(&input, field.name(), "query")));
    }
    if verb != "get" && method.name() != "CreateSession" {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 128 },
            "description": "Repeating a request under the same key returns the first answer and says so in the header idempotency-replayed."
        }));
    }
    let answer = match text("response_body").and_then(|name| output.get_field_by_name(&name)) {
        Some(field) => field_schema(&field, wanted),
        None => reference(&output, wanted),
    };
    let mut operation = json!({
        "operationId": format!("{}_{}", method.parent_service().name(), method.name()),
        "tags": [method.parent_service().name().trim_end_matches("Service")],
        "parameters": parameters,
        "responses": {
            "200": { "description": "OK", "content": { "application/json": { "schema": answer } } },
            "default": { "description": "google.rpc.Status", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/google.rpc.Status" } } } }
        }
    });
    if has_body {
        operation["requestBody"] = request_body(&input, &in_path, wanted);
    }
    if is_open(&path) {
        operation["security"] = json!([]);
    }
    let json_path = in_path.iter().fold(path.clone(), |path, name| path.replace(&format!("{{{name}}}"), &format!("{{{}}}", json_name(&input, name))));
    if ["/v1/submissions", "/v1/awardLists", "/v1/cases"].contains(&path.as_str()) {
        operation["operationId"] = json!(format!("{}_{}All", method.parent_service().name(), method.name()));
    }
    if let Some(item) = paths.entry(json_path).or_insert_with(|| json!({})).as_object_mut() {
        item.insert(verb.to_owned(), operation);
    }
}

/// The body of a request, without what its path says.
fn request_body(input: &MessageDescriptor, in_path: &[&str], wanted: &mut BTreeSet<String>) -> Value {
    // ProtoJSON takes a null for any field, and leaves the field unset.
    let nullable = |field: &FieldDescriptor, wanted: &mut BTreeSet<String>| {
        let mut schema = field_schema(field, wanted);
        schema["nullable"] = json!(true);
        (field.json_name().to_owned(), schema)
    };
    let properties: Map<String, Value> = input.fields().filter(|field| !in_path.contains(&field.name())).map(|field| nullable(&field, wanted)).collect();
    // No field is there that an empty message has not: no body is as good as an empty object.
    json!({ "required": false, "content": { "application/json": { "schema": { "type": "object", "nullable": true, "properties": properties, "additionalProperties": false } } } })
}

fn json_name(input: &MessageDescriptor, name: &str) -> String {
    input.get_field_by_name(name).map_or_else(|| name.to_owned(), |field| field.json_name().to_owned())
}

fn parameter(input: &MessageDescriptor, name: &str, place: &str) -> Value {
    let field = input.get_field_by_name(name);
    let schema = field.as_ref().map_or_else(|| json!({ "type": "string" }), |field| field_schema(field, &mut BTreeSet::new()));
    json!({ "name": json_name(input, name), "in": place, "required": place == "path", "schema": schema })
}

fn reference(message: &MessageDescriptor, wanted: &mut BTreeSet<String>) -> Value {
    wanted.insert(message.full_name().to_owned());
    json!({ "$ref": format!("#/components/schemas/{}", message.full_name()) })
}

fn field_schema(field: &FieldDescriptor, wanted: &mut BTreeSet<String>) -> Value {
    let one = match field.kind() {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
        Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0 }),
        // ProtoJSON writes 64-bit integers as strings.
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "format": "int64" }),
        Kind::Float | Kind::Double => json!({ "type": "number" }),
        Kind::String => json!({ "type": "string" }),
        Kind::Bytes => json!({ "type": "string", "format": "byte" }),
        Kind::Enum(kind) => json!({ "type": "string", "enum": kind.values().map(|value| value.name().to_owned()).collect::<Vec<_>>() }),
        Kind::Message(message) => {
            let mut schema = reference(&message, wanted);
            if field.cardinality() != Cardinality::Repeated {
                // An unset message is null.
                schema = json!({ "nullable": true, "allOf": [schema] });
            }
            schema
        }
    };
    if field.is_list() { json!({ "type": "array", "items": one }) } else { one }
}

fn schema(message: &MessageDescriptor, wanted: &mut BTreeSet<String>, known: &Map<String, Value>) -> Value {
    let properties: Map<String, Value> = message.fields().map(|field| (field.json_name().to_owned(), field_schema(&field, wanted))).collect();
    wanted.retain(|name| !known.contains_key(name) && name != message.full_name());
    json!({ "type": "object", "properties": properties })
}

fn status_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
            "details": { "type": "array", "items": { "type": "object" } }
        }
    })
}

/// The calls that stream, and so are not transcoded.
fn add_streamed(paths: &mut Map<String, Value>, wanted: &mut BTreeSet<String>) {
    wanted.insert("xuezhu.common.v1.ImportReport".into());
    let text = |name: &str, place: &str| json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": "string" } });
    let flag = |name: &str| json!({ "name": name, "in": "query", "required": false, "schema": { "type": "boolean" } });
    let fault =
        json!({ "description": "google.rpc.Status", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/google.rpc.Status" } } } });
    let file = json!({ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": { "schema": { "type": "string", "format": "binary" } } });
    let upload = |id: &str, parameters: Vec<Value>| {
        json!({ "post": {
            "operationId": id,
            "parameters": parameters,
            "requestBody": { "required": true, "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } },
            "responses": { "200": { "description": "OK", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/xuezhu.common.v1.ImportReport" } } } }, "default": fault }
        } })
    };
    let download = |id: &str, parameters: Vec<Value>| json!({ "get": { "operationId": id, "parameters": parameters, "responses": { "200": { "description": "OK", "content": file }, "default": fault } } });
    let key = text("Idempotency-Key", "header");
    let flags = ["preview", "allOrNothing", "includeHidden", "blankClears", "wait"].map(flag);
    let sent = |path: &[&str]| -> Vec<Value> {
        path.iter().map(|name| text(name, "path")).chain(flags.clone()).chain([text("fileName", "query"), key.clone()]).collect()
    };
    paths.insert("/v1/schools/{school}/enrollments/import".into(), upload("importEnrollments", sent(&["school"])));
    paths.insert("/v1/schools/{school}/awardLists/{list}/import".into(), upload("importAwards", sent(&["school", "list"])));
    let marked = download("markedWorkbook", vec![text("school", "path"), text("importId", "path"), flag("faultyOnly")]);
    paths.insert("/v1/schools/{school}/imports/{importId}/markedWorkbook".into(), marked);
    let marked = download("markedAwards", vec![text("school", "path"), text("list", "path"), text("importId", "path"), flag("faultyOnly")]);
    paths.insert("/v1/schools/{school}/awardLists/{list}/imports/{importId}/markedWorkbook".into(), marked);
    paths.insert("/v1/schools/{school}/hardship/import".into(), upload("importHardship", sent(&["school"])));
    let marked = download("markedHardship", vec![text("school", "path"), text("importId", "path"), flag("faultyOnly")]);
    paths.insert("/v1/schools/{school}/hardshipImports/{importId}/markedWorkbook".into(), marked);
    paths.insert("/v1/hardshipTemplate".into(), download("hardshipTemplate", Vec::new()));
    for (path, id, message) in takeouts::PATHS {
        let Some(input) = xuezhu_proto::POOL.get_message_by_name(message) else { continue };
        let in_path: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters: Vec<Value> = in_path.iter().map(|name| text(name, "path")).chain([key.clone()]).collect();
        let body = request_body(&input, &in_path, wanted);
        let responses = json!({ "200": { "description": "OK", "content": file }, "default": fault });
        paths.insert(path.into(), json!({ "post": { "operationId": id, "parameters": parameters, "requestBody": body, "responses": responses } }));
    }
    for (of, many, at) in [("school", "Schools", "schools"), ("account", "Accounts", "accounts"), ("group", "Groups", "specialGroups")] {
        paths.insert(format!("/v1/{at}/import"), upload(&format!("import{many}"), sent(&[])));
        let marked = download(&format!("marked{many}"), vec![text("importId", "path"), flag("faultyOnly")]);
        paths.insert(format!("/v1/{of}Imports/{{importId}}/markedWorkbook"), marked);
        paths.insert(format!("/v1/{of}Template"), download(&format!("{of}Template"), Vec::new()));
    }
    paths.insert("/v1/enrollmentTemplate".into(), download("enrollmentTemplate", Vec::new()));
    paths.insert("/v1/awardTemplate".into(), download("awardTemplate", Vec::new()));
    add_evidence(paths, wanted);
}

/// Files that prove something, in and out; a list of them is transcoded like any other.
fn add_evidence(paths: &mut Map<String, Value>, wanted: &mut BTreeSet<String>) {
    const LINE: &str = "xuezhu.common.v1.Evidence";
    wanted.insert(LINE.into());
    let text = |name: &str, place: &str, required: bool| json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } });
    let status = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/google.rpc.Status" } } });
    let fault = json!({ "description": "google.rpc.Status", "content": status });
    let line = json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{LINE}") } } });
    let binary = json!({ "schema": { "type": "string", "format": "binary" } });
    let mut post = |path: &str, operation: Value| {
        if let Some(item) = paths.entry(path.to_owned()).or_insert_with(|| json!({})).as_object_mut() {
            item.insert("post".into(), operation);
        }
    };
    for (path, id, name) in [
        ("/v1/enrollmentDossiers/{dossier}/evidence", "dossier", "addEnrollmentEvidence"),
        ("/v1/aidDossiers/{dossier}/evidence", "dossier", "addAidEvidence"),
        ("/v1/cases/{case}/evidence", "case", "addCaseEvidence"),
    ] {
        post(
            path,
            json!({
                "operationId": name,
                "parameters": [text(id, "path", true), text("name", "query", true), text("Idempotency-Key", "header", false)],
                "requestBody": { "required": true, "content": { "application/octet-stream": binary } },
                "responses": { "200": { "description": "OK", "content": line }, "default": fault }
            }),
        );
    }
    for (path, name) in [("/v1/enrollmentEvidence/{evidence}/open", "openEnrollmentEvidence"), ("/v1/aidEvidence/{evidence}/open", "openAidEvidence")] {
        let purpose = json!({
            "type": "object", "required": ["purpose"], "additionalProperties": false,
            "properties": { "purpose": { "type": "string", "minLength": 1, "maxLength": 200 } }
        });
        post(
            path,
            json!({
                "operationId": name,
                "parameters": [text("evidence", "path", true)],
                "requestBody": { "required": true, "content": { "application/json": { "schema": purpose } } },
                "responses": {
                    "200": { "description": "The file, to be saved.", "content": { "image/jpeg": binary, "image/png": binary, "image/tiff": binary, "application/pdf": binary } },
                    "default": fault
                }
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_is_defined_and_every_operation_has_a_name_of_its_own() {
        let document = build();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().expect("ends");
            assert!(schemas.contains_key(name), "{name} is not defined");
        }
        let mut names = BTreeSet::new();
        for item in document["paths"].as_object().expect("paths").values() {
            for operation in item.as_object().expect("operations").values() {
                assert!(names.insert(operation["operationId"].to_string()), "{operation}");
            }
        }
        assert!(names.len() > 35, "{}", names.len());
    }
}
