package io.peft4j.serve;

import java.util.Optional;

/** One server with a database in its folder. */
class KilledServerTest extends KillsContract {
    @Override
    Optional<String> database() {
        return Optional.empty();
    }

    @Override
    int servers() {
        return 1;
    }
}
