package io.peft4j.data.format;

/** Takes what is wrong with a row. A row without a fatal fault is an example. */
@FunctionalInterface
interface Faults {
    /** Takes a fault. May throw, where the first one is enough. */
    void add(RowFault fault);

    /**
     * The first fatal fault of a row ends its reading with a {@link io.peft4j.core.error.DataException} that names its
     * file and line; others are passed over.
     */
    static Faults failing(JsonLines.Row row) {
        return fault -> {
            if (fault.fatal()) {
                throw row.wrong(fault.message());
            }
        };
    }
}
