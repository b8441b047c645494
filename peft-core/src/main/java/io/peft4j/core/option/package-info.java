/**
 * How the options of a record are declared once: {@link io.peft4j.core.option.Option} says of a component what values
 * it has, {@link io.peft4j.core.option.With} asks for copies with another value. The methods are written at compile
 * time by {@link io.peft4j.core.option.BuilderProcessor}, before all else of the module is compiled.
 */
@Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.option;

import io.peft4j.core.Internal;
