/**
 * What the command line asks of machines and of the tokens that adapters add: open
 * {@link io.peft4j.models.support.MachineReport} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.support;
