package io.peft4j.core.peft;

import io.peft4j.core.Internal;
import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.ConfigWriter;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import java.util.Optional;

/**
 * A configuration within the configuration: an object with the keys of a record whose components have {@link Key}s, or
 * null if absent.
 *
 * @param <T> the record
 */
@Internal(shared = true)
public abstract class ObjectFormat<T extends Record> implements KeyFormat<Optional<T>> {
    private final Class<T> type;

    /** For a record. */
    protected ObjectFormat(Class<T> type) {
        this.type = type;
    }

    @Override
    public final Optional<T> read(ConfigReader reader, String key, String fallback) {
        return reader.object(key).map(within -> within.record(type));
    }

    @Override
    public final void write(ConfigWriter writer, String key, Optional<T> value) {
        value.ifPresentOrElse(config -> writer.putRecord(key, config), () -> writer.putNull(key));
    }
}
