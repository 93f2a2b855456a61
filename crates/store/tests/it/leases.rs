use flagstaff_testkit::{NOW, contract, later};

contract! {
    async fn a_lease_has_one_holder_until_it_is_over(store: Store) {
        assert!(store.take_lease("rollouts", "a", NOW, later(100)).await.unwrap());

        assert!(!store.take_lease("rollouts", "b", later(99), later(200)).await.unwrap());
        assert!(store.take_lease("rollouts", "a", later(99), later(150)).await.unwrap(), "renewed");
        assert!(!store.take_lease("rollouts", "b", later(149), later(200)).await.unwrap());
        assert!(store.take_lease("rollouts", "b", later(150), later(200)).await.unwrap());
        assert!(store.take_lease("other work", "a", later(150), later(200)).await.unwrap());
    }

    async fn a_lease_given_back_is_free(store: Store) {
        assert!(store.take_lease("rollouts", "a", NOW, later(100)).await.unwrap());

        store.release_lease("rollouts", "b").await.unwrap();
        assert!(!store.take_lease("rollouts", "b", later(1), later(200)).await.unwrap());
        store.release_lease("rollouts", "a").await.unwrap();

        assert!(store.take_lease("rollouts", "b", later(1), later(200)).await.unwrap());
    }

    async fn of_many_that_try_one_gets_it(one: Store, two: Store) {
        let mut tasks = Vec::new();
        for number in 0..10 {
            let store = if number % 2 == 0 { one.clone() } else { two.clone() };
            tasks.push(tokio::spawn(async move {
                let holder = format!("node-{number}");
                store.take_lease("rollouts", &holder, NOW, later(100)).await.unwrap()
            }));
        }

        let mut taken = 0;
        for task in tasks {
            taken += i32::from(task.await.unwrap());
        }

        assert_eq!(taken, 1);
    }
}
