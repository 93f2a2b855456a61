use flagstaff_testkit::{NOW, contract};

contract! {
    async fn an_installation_keeps_its_id(one: Store, two: Store) {
        let id = one.instance_id().await.unwrap();

        two.migrate(NOW).await.unwrap();

        assert_eq!(two.instance_id().await.unwrap(), id);
        assert!(uuid::Uuid::parse_str(&id).is_ok());
    }

    async fn the_first_value_is_kept(one: Store, two: Store) {
        assert_eq!(one.instance_value("secret").await.unwrap(), None);

        assert_eq!(one.keep_instance_value("secret", "a").await.unwrap(), "a");
        assert_eq!(two.keep_instance_value("secret", "b").await.unwrap(), "a");

        assert_eq!(two.instance_value("secret").await.unwrap().as_deref(), Some("a"));
    }
}
