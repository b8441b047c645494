package io.peft4j.cli;

import com.fasterxml.jackson.databind.ObjectMapper;

/** JSON of the command line. Apart from the commands, which are all made at each start: a mapper takes long to make. */
final class CommandJson {
    /** Made when it is first used. */
    static final ObjectMapper MAPPER = new ObjectMapper();

    private CommandJson() {
    }
}
