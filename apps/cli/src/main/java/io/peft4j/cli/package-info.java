/**
 * The command line. It turns options into calls of the public API and holds no logic of its own. Open
 * {@link io.peft4j.cli.Main} first, which lists the commands, then {@code TrainCommand}. Options that several commands
 * have are picocli mixins, such as {@code AdapterOptions}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.cli;
