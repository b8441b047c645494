package io.peft4j.core.option;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Gives a record {@code X} what its interface {@code XWith} has, which is written at compile time: {@code withY(value)}
 * for each component {@code y}, a copy with another value, and {@code XWith.check}, by which the constructor refuses
 * null and what is out of the range of an {@link Option}:
 *
 * <pre>{@code
 * @With
 * public record Sampling(@Option(range = "(0,1]") double topP, long seed) implements SamplingWith {
 *     public Sampling {
 *         SamplingWith.check(topP);
 *     }
 * }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.SOURCE)
@Target(ElementType.TYPE)
public @interface With {
    /**
     * Whether there is an abstract class {@code XSetters<B>}, too, with a method for each component that sets it in a
     * builder.
     */
    boolean setters() default false;
}
