package io.peft4j.cli;

import picocli.CommandLine.Option;

/** The option of a result for machines. */
final class JsonOption {
    @Option(names = "--json", description = "Prints the result as one line of JSON on stdout, and nothing else there.")
    private boolean json;

    boolean isGiven() {
        return json;
    }
}
