/**
 * What an adapter is made from. Open {@link io.peft4j.core.peft.config.PeftConfig} first, then
 * {@link io.peft4j.core.peft.config.TargetModules} and {@link io.peft4j.core.peft.config.Placement}, which say where an
 * adapter sits. A method's configuration is a record whose {@link io.peft4j.core.peft.config.Key}s say what it is in
 * {@code adapter_config.json}: from them it is read ({@link io.peft4j.core.peft.config.ConfigReader}), written and
 * built ({@link io.peft4j.core.peft.config.ConfigBuilder}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.config;
