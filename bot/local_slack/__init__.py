"""A Slack for one machine: `from bot.local_slack import LocalSlack, SlackRefuses`.

    slack = LocalSlack(manifest)                 # the dict read from manifest.yml
    await slack.start()                          # slack.url is the page, slack.api_url the Web API
    ada = slack.add_user("Ada")
    general = slack.add_channel("general", members=(ada, slack.bot_user_id))
    ts = await slack.say(ada, general, f"<@{slack.bot_user_id}> hello")
    await slack.until(lambda s: len(s.messages(general, ts)) == 2)
    await slack.stop()

It refuses what Slack refuses, and what the manifest does not declare does not work.
"""

from bot.local_slack.delivery import Delivery
from bot.local_slack.faults import Call
from bot.local_slack.refusals import SlackRefuses
from bot.local_slack.server import LocalSlack

__all__ = ["Call", "Delivery", "LocalSlack", "SlackRefuses"]
