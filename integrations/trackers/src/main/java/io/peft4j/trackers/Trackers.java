package io.peft4j.trackers;

import io.peft4j.core.Internal;
import io.peft4j.core.Registered;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.util.List;

/** The trackers on the class path that are chosen by name. There is no other list of them. */
@Internal(shared = true)
public final class Trackers {
    private Trackers() {
    }

    /** All of them, in the order of their registration. */
    public static List<Tracker> all() {
        return Registered.all(Tracker.class, Tracker::name);
    }

    /**
     * The tracker that a word names, such as {@code tensorboard} or {@code csv=metrics.csv}.
     *
     * @param word the name, and behind an equals sign where to; what has no place of its own goes into the folder of
     *     the training
     * @throws ConfigurationException when there is no such tracker, or the place is wrong
     */
    public static Tracker of(String word) {
        int sign = word.indexOf('=');
        String name = sign < 0 ? word : word.substring(0, sign);
        List<Tracker> all = all();
        Tracker tracker = all.stream().filter(each -> each.name().equals(name)).findFirst()
                .orElseThrow(() -> new ConfigurationException("unknown tracker '" + name + "'; "
                        + SimilarNames.sentence(name, all.stream().map(Tracker::name).toList())));
        if (sign < 0) {
            return tracker;
        }
        String place = word.substring(sign + 1);
        if (place.isBlank()) {
            throw new ConfigurationException("the tracker '" + word + "' has nothing behind the equals sign");
        }
        return tracker.at(place);
    }
}
