/** What a machine has that matters for models: {@link io.peft4j.models.machine.MachineReport}. */
package io.peft4j.models.machine;
