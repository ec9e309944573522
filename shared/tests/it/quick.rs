use parlor_shared::*;
#[test]
fn shapes() {
    for line in [
        r#"{"id":1,"hello":{"protocol":1,"app":"nc","name":"Ann"}}"#,
        r#"{"id":3,"say":{"room":1,"client_id":"nc-1","text":"hi"}}"#,
        r#"{"id":5,"goodbye":{}}"#,
        r#"{"id":5,"history":{"room":1,"page":"latest"}}"#,
        r#"{"id":5,"history":{"room":1,"page":{"after":3},"limit":9}}"#,
    ] {
        let r = frame::parse_request(line).unwrap();
        assert_eq!(String::from_utf8(frame::line(&r)).unwrap().trim(), line);
    }
    for (line, code) in [
        (r#"{"id":1,"hello":{"protocol":1,"app":"nc","name":"  "}}"#, "name_empty"),
        (r#"{"id":1,"ping":{"x":1}}"#, "unknown_field"),
        (r#"{"id":1,"pin":{"x":1}}"#, "unknown_request"),
        (r#"{"id":3,"say":{"room":1,"client_id":"nc-1","text":"h\u0000i"}}"#, "control_character"),
    ] {
        let (id, r) = frame::parse_request(line).unwrap_err();
        assert_eq!(r.code(), code);
        assert!(id.is_some());
    }
    let e = r#"{"room":1,"seq":2,"at":3,"by":4,"name":"Ann","event":"said","nth":1,"client_id":"nc-1","text":"hi"}"#;
    let f: ServerFrame = serde_json::from_str(e).unwrap();
    assert_eq!(String::from_utf8(frame::line(&f)).unwrap().trim(), e);
    let f: ServerFrame = serde_json::from_str(&e.replace("said", "baked")).unwrap();
    assert!(matches!(f, ServerFrame::Event(Event::Room(RoomEvent { fact: Fact::Unknown, .. }))));
    let f: ServerFrame = serde_json::from_str(r#"{"event":"ping"}"#).unwrap();
    let f: ServerFrame =
        serde_json::from_str(r#"{"event":"joined","room":1,"seq":2,"at":3,"by":4,"name":"Ann"}"#)
            .unwrap();
    let f = ServerFrame::refused(
        Some(RequestId(1)),
        Refusal::NameTaken { suggestion: Some("Ann 2".parse().unwrap()) },
    );
    println!("{}", String::from_utf8(frame::line(&f)).unwrap());
    let b: ServerFrame = serde_json::from_slice(&frame::line(&f)).unwrap();
    assert_eq!(b, f);
    assert_eq!("5ystem".parse::<UserName>(), Ok("5ystem".parse().unwrap()));
    assert_eq!("ＳＥＲＶＥＲ".parse::<UserName>(), Err(Refusal::NameReserved));
    assert_eq!(name::Skeleton::of("Аnn"), name::Skeleton::of("ann"));
    assert_eq!(name::Skeleton::of("Bill"), name::Skeleton::of("bi1I"));
}
