/** What a machine has that matters for models: {@link io.peft4j.models.machine.MachineReport}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.machine;
