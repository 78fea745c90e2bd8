//! A member that was taken out comes back to where it stood.

use super::super::Document;

#[test]
fn what_was_taken_out_is_put_back_to_the_byte() {
    for (name, text, path) in [
        ("first", "{\n  \"a\": 1.10,\n  \"b\": 2\n}\n", &["a"][..]),
        ("middle", "{\n  \"a\": 1,\n  \"b\": [1, 2],\n  \"c\": 3\n}\n", &["b"]),
        ("last", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", &["b"]),
        ("compact", "{\"a\":1,\"b\":2,\"c\":3}", &["b"]),
        ("first of few", "{\"a\":1,\"b\":2}", &["a"]),
        ("deeper", "{\"x\": 0, \"env\": {\"A\": \"1\", \"B\": \"2\"}}", &["env", "A"]),
        ("deeper, of three", "{\"env\": {\"A\": \"1\",  \"B\": \"2\",  \"C\": \"3\"}}", &["env", "A"]),
        ("windows lines", "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}\r\n", &["a"]),
    ] {
        let mut document = Document::parse(text.as_bytes().to_vec()).expect("a document");
        let raw = document.raw(path).expect("a value").to_owned();
        let next = document.follower(path);
        assert!(document.remove(path), "{name}");
        document.insert_raw(path, &raw, next.as_deref()).expect("put back");
        assert_eq!(std::str::from_utf8(document.bytes()).expect("text"), text, "{name}");
    }
}

#[test]
fn without_the_key_that_followed_it_comes_last() {
    let mut document = Document::parse(b"{\"a\":1}".to_vec()).expect("a document");
    document.insert_raw(&["b"], "2", Some("gone")).expect("set");
    assert_eq!(document.bytes(), b"{\"a\":1,\"b\":2}".as_slice());
    document.insert_raw(&["a"], "3", Some("b")).expect("set");
    assert_eq!(document.bytes(), b"{\"a\":3,\"b\":2}".as_slice());
    assert!(document.insert_raw(&["c"], "nonsense", Some("a")).is_err());
}
