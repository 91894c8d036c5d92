"""Functions of bars that look ahead, one for each of ten known ways, and ten that do not.

They are written for 5m bars of NSE, as a user would write them; each returns the numbers it decides by, too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Decides = Callable[[pd.DataFrame], pd.DataFrame]


def said(frame: pd.DataFrame, entry: pd.Series, leave: pd.Series, **numbers: pd.Series) -> pd.DataFrame:
    """What a function returns."""
    return pd.DataFrame({"entry": entry, "exit": leave, **numbers}, index=frame.index)


def negative_shift(frame: pd.DataFrame) -> pd.DataFrame:
    rises = frame["close"].shift(-1) > frame["close"]
    return said(frame, rises, frame["close"] < frame["close"].shift(1))


def centred_window(frame: pd.DataFrame) -> pd.DataFrame:
    middle = frame["close"].rolling(11, center=True).mean()
    return said(frame, frame["close"] < middle, frame["close"] > middle, middle=middle)


def whole_column_normalisation(frame: pd.DataFrame) -> pd.DataFrame:
    score = (frame["close"] - frame["close"].mean()) / frame["close"].std()
    return said(frame, score < -1, score > 1, score=score)


def back_fill(frame: pd.DataFrame) -> pd.DataFrame:
    mean = frame["close"].rolling(20).mean().bfill()
    return said(frame, frame["close"] > mean, frame["close"] < mean, mean=mean)


def unlagged_coarser_bar(frame: pd.DataFrame) -> pd.DataFrame:
    hour = (frame.index - pd.Timedelta("45min")).floor("1h")
    hourly = frame["close"].groupby(hour).transform("last")
    return said(frame, hourly > frame["open"], hourly < frame["open"], hourly=hourly)


def last_row_peek(frame: pd.DataFrame) -> pd.DataFrame:
    return said(frame, frame["close"] < frame["close"].iloc[-1], frame["close"] > frame["close"].iloc[-1])


def target_leak(frame: pd.DataFrame) -> pd.DataFrame:
    target = frame["close"].shift(-5) / frame["close"] - 1
    score = target.rolling(50).mean()
    return said(frame, score > 0, score < 0, score=score)


def future_stamped_join(frame: pd.DataFrame) -> pd.DataFrame:
    daily = frame["close"].groupby(frame.index.normalize()).last().rename("day_close")
    joined = pd.merge_asof(frame, daily, left_index=True, right_index=True)["day_close"]
    return said(frame, joined > frame["close"], joined < frame["close"], day_close=joined)


def time_zone_shift(frame: pd.DataFrame) -> pd.DataFrame:
    wrong = frame.index.tz_convert("Asia/Kolkata").tz_localize(None).tz_localize("UTC")
    other = pd.Series(frame["close"].reindex(wrong, method="ffill").to_numpy(), frame.index)
    return said(frame, other > frame["close"], other < frame["close"], other=other)


def resample_labelled_left(frame: pd.DataFrame) -> pd.DataFrame:
    quarter = frame["close"].resample("15min", label="left").last().dropna()
    trend = quarter.rolling(4).mean().reindex(frame.index, method="ffill")
    return said(frame, frame["close"] > trend, frame["close"] < trend, trend=trend)


MUTANTS: dict[str, Decides] = {
    one.__name__: one
    for one in (
        negative_shift, centred_window, whole_column_normalisation, back_fill, unlagged_coarser_bar, last_row_peek,
        target_leak, future_stamped_join, time_zone_shift, resample_labelled_left,
    )
}


def rolling_mean_cross(frame: pd.DataFrame) -> pd.DataFrame:
    fast, slow = frame["close"].rolling(10).mean(), frame["close"].rolling(30).mean()
    return said(frame, (fast > slow) & (fast.shift(1) <= slow.shift(1)), fast < slow, fast=fast, slow=slow)


def exponential_means(frame: pd.DataFrame) -> pd.DataFrame:
    fast, slow = frame["close"].ewm(span=12).mean(), frame["close"].ewm(span=26, adjust=False).mean()
    return said(frame, fast > slow, fast < slow, fast=fast, slow=slow)


def expanding_normalisation(frame: pd.DataFrame) -> pd.DataFrame:
    grown = frame["close"].expanding()
    score = (frame["close"] - grown.mean()) / grown.std()
    return said(frame, score < -1, score > 1, score=score)


def lagged_coarser_bar(frame: pd.DataFrame) -> pd.DataFrame:
    hourly = frame["close"].resample("1h", offset="45min", label="right").last().dropna().rename("hourly")
    closes = pd.DataFrame({"closed_at": frame.index + pd.Timedelta("5min")})
    hour = pd.merge_asof(closes, hourly, left_on="closed_at", right_index=True)["hourly"].set_axis(frame.index)
    return said(frame, frame["close"] > hour, frame["close"] < hour, hour=hour)


def resample_labelled_right_and_shifted(frame: pd.DataFrame) -> pd.DataFrame:
    quarter = frame["close"].resample("15min", label="right", closed="right").last().dropna()
    before = quarter.shift(1).reindex(frame.index, method="ffill")
    return said(frame, frame["close"] > before, frame["close"] < before, before=before)


def join_stamped_at_publication(frame: pd.DataFrame) -> pd.DataFrame:
    daily = frame["close"].groupby(frame.index.normalize()).last().rename("yesterday")
    daily.index += pd.Timedelta("1D")
    joined = pd.merge_asof(frame, daily, left_index=True, right_index=True)["yesterday"]
    return said(frame, frame["close"] > joined, frame["close"] < joined, yesterday=joined)


def donchian(frame: pd.DataFrame) -> pd.DataFrame:
    high, low = frame["high"].rolling(20).max().shift(1), frame["low"].rolling(10).min().shift(1)
    return said(frame, frame["close"] > high, frame["close"] < low, high=high, low=low)


def wilder_rsi(frame: pd.DataFrame) -> pd.DataFrame:
    change = frame["close"].diff()
    gain = change.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / 14, adjust=False).mean()
    rsi = 100 - 100 / (1 + gain / loss)
    return said(frame, rsi < 30, rsi > 60, rsi=rsi)


def bollinger(frame: pd.DataFrame) -> pd.DataFrame:
    middle, width = frame["close"].rolling(20).mean(), frame["close"].rolling(20).std()
    return said(frame, frame["close"] < middle - 2 * width, frame["close"] > middle, middle=middle, width=width)


def stateful_loop(frame: pd.DataFrame) -> pd.DataFrame:
    close = frame["close"].to_numpy()
    entry, leave = np.zeros(len(close), bool), np.zeros(len(close), bool)
    bought, peak = False, 0.0
    for i, price in enumerate(close):
        peak = max(peak, price) if bought else 0.0
        if not bought and i >= 3 and close[i - 3] < close[i - 2] < close[i - 1] < price:
            entry[i] = bought = True
            peak = price
        elif bought and price < 0.99 * peak:
            leave[i], bought = True, False
    return said(frame, pd.Series(entry, frame.index), pd.Series(leave, frame.index))


CLEAN: dict[str, Decides] = {
    one.__name__: one
    for one in (
        rolling_mean_cross, exponential_means, expanding_normalisation, lagged_coarser_bar,
        resample_labelled_right_and_shifted, join_stamped_at_publication, donchian, wilder_rsi, bollinger,
        stateful_loop,
    )
}
