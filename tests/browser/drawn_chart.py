"""A chart of the page, drawn by a browser from figures of a test."""

from tests.browser.watched import Tab

HOURS = 7 * 24
DRAW = """async (hours) => {
    const over = {};
    const fillText = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        if (this.textAlign === "center") over[text] = x + this.measureText(text).width / 2 - this.canvas.width;
        return fillText.call(this, text, x, y);
    };
    const app = document.querySelector("script[type=module]").src;
    const { Bars } = await import(app.replace("app.js", "charts/bars.js"));
    const midnight = new Date(2026, 10, 27).getTime() / 1000;
    const times = [...Array(hours)].map((_, index) => midnight - (hours - 1 - index) * 3600);
    const place = document.createElement("div");
    place.id = "drawn";
    document.querySelector("main").prepend(place);
    const chart = new Bars(place, { series: [{ name: "redis", kind: "redis" }], show: String, label: "Drawn" });
    chart.set({ times, values: [times.map((_, index) => index)], step: 3600, rest: ["all"], said: "Drawn" });
    await new Promise(requestAnimationFrame);
    return over;
}"""


def draw_chart(tab: Tab, hours: int = HOURS) -> dict[str, float]:
    """Draw a bar for each hour up to the midnight before 27 November, which are worth 0, 1, 2 and so on.

    Return each label of the time, and by how many pixels it is beyond the right edge: negative where all of it is seen.
    """
    tab.open("overview")
    labels: dict[str, float] = tab.page.evaluate(DRAW, hours)
    return labels
