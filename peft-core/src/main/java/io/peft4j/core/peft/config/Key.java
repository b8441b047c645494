package io.peft4j.core.peft.config;

import io.peft4j.core.peft.method.PeftMethod;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The key in {@code adapter_config.json} of a component of a configuration record. The component's type says what the
 * value looks like there: numbers, truth values, texts ({@code Optional}), lists and maps of these, and the types of
 * this package; an enum is its constant's name or what {@link KeyFormat.Named} says; anything else has a
 * {@link #format}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Key {
    /** The key. */
    String value();

    /**
     * The default as JSON text; null stands for 0, false, or nothing, as the type has it. A list without elements is
     * written as null, or, where that is the default, as [].
     */
    String fallback() default "null";

    /** Whether a whole number is written without a fraction, 8 and not 8.0. */
    boolean whole() default false;

    /** Whether 0, or a map without entries, is written as null: not given yet. */
    boolean zeroIsNull() default false;

    /** The option of many methods that sets it ({@link PeftMethod#optionKeys}); by default the component's name. */
    String option() default "";

    /** How values of other types are read and written. */
    @SuppressWarnings("rawtypes")
    Class<? extends KeyFormat> format() default KeyFormat.class;
}
