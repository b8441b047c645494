package io.peft4j.serve;

import java.util.Optional;

/**
 * Two servers that share a queue on PostgreSQL: what one does not do any more the other does. Runs with {@code
 * -Dpeft4j.serve.postgresql=jdbc:postgresql://HOST/DATABASE}; {@code .ci/with-postgresql} makes a database for a
 * command.
 */
class SharedQueueTest extends KillsContract {
    @Override
    Optional<String> database() {
        return Optional.of(System.getProperty("peft4j.serve.postgresql"));
    }

    @Override
    int servers() {
        return 2;
    }
}
