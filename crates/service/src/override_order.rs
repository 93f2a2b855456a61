//! The order of segment overrides: priorities from 0, the lowest strongest, as the original moves them.

use crate::error::ServiceResult;
use flagstaff_core::{FeatureSegment, FeatureSegmentId};
use flagstaff_store::Write;
use std::collections::HashMap;

/// The priority behind all others.
pub(crate) fn priority_after(links: &[FeatureSegment]) -> i64 {
    let last = links.iter().filter_map(|link| link.priority).max();
    last.map_or(0, |last| last.saturating_add(1))
}

/// Moves a link to a priority; those between its old place and its new one give way by one step.
pub(crate) fn move_link(links: &mut [FeatureSegment], id: FeatureSegmentId, to: i64) {
    let behind_all = priority_after(links);
    let Some(position) = links.iter().position(|link| link.id == id) else {
        return;
    };
    let from = links[position].priority.unwrap_or(behind_all);
    for link in links.iter_mut().filter(|link| link.id != id) {
        let Some(priority) = link.priority else {
            continue;
        };
        if (to..from).contains(&priority) {
            link.priority = Some(priority.saturating_add(1));
        } else if from < priority && priority <= to {
            link.priority = Some(priority - 1);
        }
    }
    links[position].priority = Some(to);
}

/// Makes room for a new link of a given priority: the first one that has it moves one step back.
///
/// Recorded: those in between give way forwards, so that two links may have one priority afterwards.
pub(crate) fn make_room(links: &mut [FeatureSegment], priority: i64) {
    let occupant = links.iter().find(|link| link.priority == Some(priority));
    if let Some(id) = occupant.map(|link| link.id) {
        move_link(links, id, priority.saturating_add(1));
    }
}

/// Moves what stood behind a deleted link up, and takes it from the list.
pub(crate) fn close_gap(links: &mut Vec<FeatureSegment>, deleted: &FeatureSegment) {
    links.retain(|link| link.id != deleted.id);
    let Some(gap) = deleted.priority else {
        return;
    };
    for link in links {
        link.priority = link
            .priority
            .map(|priority| priority - i64::from(priority > gap));
    }
}

/// Writes the priorities that changed.
pub(crate) async fn write_order(
    write: &mut Write,
    before: &[FeatureSegment],
    after: &[FeatureSegment],
) -> ServiceResult<()> {
    let before: HashMap<_, _> = before.iter().map(|link| (link.id, link)).collect();
    for link in after {
        if before.get(&link.id) != Some(&link) {
            write.update_feature_segment(link).await?;
        }
    }
    Ok(())
}

/// The links with the priorities that were asked for; the others give way.
pub(crate) fn reordered(
    links: &[FeatureSegment],
    priorities: &[(FeatureSegmentId, i64)],
) -> Vec<FeatureSegment> {
    let mut links = links.to_vec();
    let asked: HashMap<FeatureSegmentId, i64> = priorities.iter().copied().collect();
    if !links.iter().all(|link| asked.contains_key(&link.id)) {
        for (id, priority) in priorities {
            move_link(&mut links, *id, *priority);
        }
    }
    // Whatever gave way meanwhile: those that are named stand where they were put.
    for link in &mut links {
        link.priority = asked.get(&link.id).copied().or(link.priority);
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_core::{EnvironmentId, FeatureId, SegmentId};
    use uuid::Uuid;

    fn links(priorities: &[Option<i64>]) -> Vec<FeatureSegment> {
        let link = |(id, priority): (i64, &Option<i64>)| FeatureSegment {
            id: FeatureSegmentId::new(id),
            uuid: Uuid::nil(),
            feature_id: FeatureId::new(1),
            segment_id: SegmentId::new(1),
            environment_id: EnvironmentId::new(1),
            priority: *priority,
        };
        (1..).zip(priorities).map(link).collect()
    }

    fn priorities(links: &[FeatureSegment]) -> Vec<Option<i64>> {
        links.iter().map(|link| link.priority).collect()
    }

    #[test]
    fn links_between_the_old_and_the_new_place_give_way() {
        let check = |id, to, expected: [i64; 4]| {
            let mut links = links(&[Some(0), Some(1), Some(2), Some(3)]);
            move_link(&mut links, FeatureSegmentId::new(id), to);
            assert_eq!(priorities(&links), expected.map(Some), "{id} to {to}");
        };

        check(4, 0, [1, 2, 3, 0]);
        check(1, 2, [2, 0, 1, 3]);
        check(2, 2, [0, 2, 1, 3]);
        check(3, 2, [0, 1, 2, 3]);
        check(9, 0, [0, 1, 2, 3]);
    }

    #[test]
    fn a_link_without_priority_comes_from_behind() {
        let mut links = links(&[None, Some(0), Some(1), None]);

        move_link(&mut links, FeatureSegmentId::new(1), 1);

        assert_eq!(priorities(&links), [Some(1), Some(0), Some(2), None]);
    }

    #[test]
    fn room_is_made_as_recorded() {
        let mut occupied = links(&[Some(0), Some(1)]);
        make_room(&mut occupied, 0);
        assert_eq!(priorities(&occupied), [Some(1), Some(0)]);

        let mut free = links(&[Some(0), Some(1)]);
        make_room(&mut free, 5);
        assert_eq!(priorities(&free), [Some(0), Some(1)]);
    }

    #[test]
    fn what_stood_behind_a_deleted_link_moves_up() {
        let mut all = links(&[Some(0), Some(1), Some(2), None]);
        let deleted = all[1].clone();

        close_gap(&mut all, &deleted);

        assert_eq!(priorities(&all), [Some(0), Some(1), None]);
        assert_eq!(priority_after(&all), 2);
        assert_eq!(priority_after(&[]), 0);
    }
}
